#pragma once

#include <array>

namespace retort::host {

/// What a gradient comes from: the task, or what is learnt from others. Most optimizers step along the
/// sum of both; one that treats them differently gets each by itself.
enum class GradientGroup { Task, Transfer };
inline constexpr std::array kGradientGroups = {GradientGroup::Task, GradientGroup::Transfer};

}  // namespace retort::host
