#pragma once

#include <nlohmann/json_fwd.hpp>

#include "framework/train/evaluate.hpp"

namespace retort::host {

/// The number, or null where it is not finite: JSON has no NaN.
nlohmann::ordered_json finite_or_null(double value);

/// An evaluation as run.json holds it; confusion as [teacher's class, student's class, samples].
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation);

}  // namespace retort::host
