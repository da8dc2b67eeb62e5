#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "framework/bridge/parameter_set.hpp"

namespace retort::host::exported {

/// Draws new start values for each parameter, as the reset_parameters() of its module's class does in
/// PyTorch, and sets the statistics of batch norm back. Each is a function of (seed, owner, name).
/// Source:  torch.nn: Conv and Linear, Kaiming-uniform with a = sqrt(5), which is U(+-1 / sqrt(fan_in));
///          norms, 1 and 0; Embedding, N(0, 1); LSTM, GRU and RNN, U(+-1 / sqrt(hidden)).
/// Throws: DataError that lists the parameters whose class has no start values of its own here; nothing
///         is changed then.
void draw_start_values(ParameterSet& parameters,
                       const std::map<std::string, std::string>& module_classes, uint64_t seed);

}  // namespace retort::host::exported
