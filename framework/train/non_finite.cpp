#include "framework/train/non_finite.hpp"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <utility>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

constexpr int64_t kMostSkippedInARow = 10;
constexpr int64_t kMostRollbacks = 3;

/// Counts a step of so many batches that is left out for a problem, and tells of it.
/// Throws: NonFiniteError when too many steps in a row were.
void count_skipped_step(TrainingState& state, const std::string& problem, int64_t batches) {
  if (++state.bad_in_a_row > kMostSkippedInARow) {
    throw NonFiniteError(problem + "; " + std::to_string(kMostSkippedInARow) +
                         " steps before it were skipped for the same");
  }
  ++state.skipped;
  spdlog::warn("{}; the step is skipped{}", problem,
               batches > 1 ? ", all " + std::to_string(batches) + " batches of it" : "");
}

/// The point's state with the counts of one rollback more than `now`, and half its learning rate.
/// Throws: NonFiniteError when there were too many.
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

}  // namespace

StepMemory::StepMemory(const Phase& phase) {
  const auto add = [&](const ParameterSet& owner, bool trained_too) {
    for (const Parameter& parameter : owner.all()) {
      if (trained_too || !parameter.trained) originals_.push_back(parameter.master.detach());
    }
  };
  for (const Participant* learner : phase.learners()) add(learner->network().parameters(), false);
  for (const auto& term : phase.terms) {
    const ParameterSet* parameters = term->parameters();
    if (parameters != nullptr) add(*parameters, phase.train.accumulate > 1);
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

NonFinitePolicy::NonFinitePolicy(const Phase& phase) : kind_(phase.train.non_finite) {
  if (kind_ == NonFinite::Skip) memory_.emplace(phase);
}

void NonFinitePolicy::begin_step(const TrainingState& state, const MetricSink& metrics) {
  if (memory_) memory_->take(state, metrics);
}

void NonFinitePolicy::set_point(TrainingState state, const std::vector<NamedTensor>& tensors) {
  point_ = {std::move(state), tensors};
  for (NamedTensor& tensor : point_->tensors) tensor.second = tensor.second.detach().clone();
}

NonFinitePolicy::Done NonFinitePolicy::recover(const std::string& problem, int64_t batches,
                                               TrainingState& state, MetricSink& metrics) {
  if (kind_ != NonFinite::Skip) return recover_weights(problem, state);
  memory_->put_back(state, metrics);
  count_skipped_step(state, problem, batches);
  return Done::Skipped;
}

NonFinitePolicy::Done NonFinitePolicy::recover_weights(const std::string& problem,
                                                       TrainingState& state) {
  if (kind_ != NonFinite::Rollback) throw NonFiniteError(problem);
  state = make_rolled_back_state(*point_, state, problem);
  return Done::RolledBack;
}

}  // namespace retort::host
