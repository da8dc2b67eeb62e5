#include "framework/train/recovery.hpp"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

constexpr int64_t kMostSkippedInARow = 10;
constexpr int64_t kMostRollbacks = 3;

}  // namespace

StepMemory::StepMemory(const Phase& phase, KeptTensors kept) {
  const auto add = [&](const ParameterSet& owner, bool trained_too) {
    for (const Parameter& parameter : owner.all()) {
      if (trained_too || !parameter.trained) originals_.push_back(parameter.master.detach());
    }
  };
  add(phase.student().parameters(), false);
  for (const auto& term : phase.terms) {
    const ParameterSet* parameters = term->parameters();
    if (parameters != nullptr) add(*parameters, kept == KeptTensors::BuffersAndTrained);
  }
  for (const at::Tensor& original : originals_) copies_.push_back(at::empty_like(original));
}

void StepMemory::take(const TrainingState& state, const MetricSink& metrics) {
  const c10::NoGradGuard without_gradients;
  if (!originals_.empty()) at::_foreach_copy_(copies_, originals_);
  metrics_ = metrics.copy();
  terms_ = state.terms;
  loss_sums_ = state.loss_sums;
  loss_count_ = state.loss_count;
}

void StepMemory::put_back(TrainingState& state, MetricSink& metrics) {
  const c10::NoGradGuard without_gradients;
  if (!originals_.empty()) at::_foreach_copy_(originals_, copies_);
  metrics.restore(std::move(metrics_));
  state.terms = terms_;
  state.loss_sums = loss_sums_;
  state.loss_count = loss_count_;
}

void count_skipped_step(TrainingState& state, const std::string& problem, int64_t batches) {
  if (++state.bad_in_a_row > kMostSkippedInARow) {
    throw NonFiniteError(problem + "; " + std::to_string(kMostSkippedInARow) +
                         " steps before it were skipped for the same");
  }
  ++state.skipped;
  spdlog::warn("{}; the step is skipped{}", problem,
               batches > 1 ? ", all " + std::to_string(batches) + " batches of it" : "");
}

TrainingState make_rolled_back_state(const RollbackPoint& point, const TrainingState& now,
                                     const std::string& problem) {
  TrainingState back = point.state;
  back.rollbacks = now.rollbacks + 1;
  back.lr_factor = now.lr_factor / 2;
  back.train_seconds = now.train_seconds;
  if (back.rollbacks > kMostRollbacks) {
    throw NonFiniteError(problem + "; training was rolled back " + std::to_string(kMostRollbacks) +
                         " times before it, the learning rate halved each time");
  }
  spdlog::warn("{}; back to the start of epoch {} with half the learning rate", problem,
               back.epoch + 1);
  return back;
}

}  // namespace retort::host
