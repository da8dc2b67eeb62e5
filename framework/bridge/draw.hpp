#pragma once

#include <ATen/core/Tensor.h>

#include "framework/bridge/scope.hpp"

namespace retort::host {

/// A named draw of the strategy that runs: given for it in Scope::draws, or a function of (seed,
/// transfer, name, step) alone. Notes it in Scope::draws.
/// Throws:  ShapeError when the tensor given has another shape; PluginError for an empty range.
at::Tensor draw_tensor(const Scope& scope, const retort_draw_spec& spec);

}  // namespace retort::host
