#pragma once

#include <ATen/core/Tensor.h>

#include "framework/bridge/scope.hpp"

namespace retort::host {

/// A named draw of the strategy that runs: given for it in Scope::draws, or a function of (seed,
/// transfer, name, step) alone. Notes it in Scope::draws and Scope::drawn.
/// Throws:  ScopeError outside of loss() and after_backward(); ShapeError for sizes that no tensor
///          has, and when the tensor given has others; PluginError for a name drawn before in the
///          step, and for a distribution that does not exist.
at::Tensor draw_tensor(Scope& scope, const retort_draw_spec& spec);

}  // namespace retort::host
