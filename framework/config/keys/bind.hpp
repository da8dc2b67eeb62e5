#pragma once

#include <string>

#include "framework/config/section.hpp"

namespace retort::host {
struct TransferConfig;
}

namespace retort::host::config {

/// bind = "layer2", or bind = { student = ["layer2"], teacher = ["layer3"] }: the taps that are
/// compared, by default the strategy's own. Call it after the strategy was read.
void read_bind(Section& section, TransferConfig& transfer);

/// Its line; "" where nothing is bound.
std::string write_bind(const TransferConfig& transfer);

}  // namespace retort::host::config
