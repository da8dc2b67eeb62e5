#pragma once

#include <string>

#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"

namespace retort::host {
struct Experiment;
struct NetworkConfig;
struct TransferConfig;
}  // namespace retort::host

namespace retort::host::config {

/// Reads view = "x" or { student = .., teacher = .. } of the [[transfer]] in `table`, whose student
/// and teachers were read; by default the first view of each. Where it is not known who the teachers
/// are, what they see is not checked.
void read_compared_views(const Node& table, const Experiment& experiment, bool are_teachers_known,
                         TransferConfig& transfer, Diagnostics& diagnostics);

/// The first view of a network; "" where there is no such network.
std::string find_first_view(const NetworkConfig* network);

}  // namespace retort::host::config
