#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {
struct Experiment;
struct TransferConfig;
}  // namespace retort::host

namespace retort::host::config {

// Who learns from whom, on which views:
//   student = "a"; teacher = "big" or ["big", "wide"]; view = "x" or { student = .., teacher = .. }

/// Takes these keys from a [[transfer]]; they can be read once its networks are known.
void take_sides(Section& transfer);

/// Reads them for all transfers of the experiment, which has its networks.
void read_sides(Section& root, Experiment& experiment);

/// Their lines, where they are not what they would be without them.
std::string write_sides(const TransferConfig& transfer, const Experiment& experiment);

}  // namespace retort::host::config
