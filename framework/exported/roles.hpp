#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "retort/abi.h"

namespace retort::host::exported {

/// What a parameter is to an optimizer's weight decay, by the class of its module and by its rank: of
/// a class with "Norm" in its name all are of normalisation; others named "bias" are biases, and what
/// has one dimension scales channels as normalisation does.
retort_role find_role(const std::string& name, int64_t rank,
                      const std::map<std::string, std::string>& module_classes);

}  // namespace retort::host::exported
