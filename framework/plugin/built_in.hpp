#pragma once

#include <vector>

#include "framework/plugin/manifest.hpp"

namespace retort::host {

/// The id of the model that runs a file of torch.export.
inline constexpr const char* kExportedModel = "exported";

/// The components that the host itself brings; no plugin file holds them.
std::vector<ComponentInfo> make_built_in_components();

/// Whether a model is the host's own that runs exported programs.
bool is_exported(const ComponentInfo& info);

}  // namespace retort::host
