// What a loop does with one batch.
#include <algorithm>
#include <cmath>

#include "framework/base/error.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/loop.hpp"

namespace retort::host {

StepNumbers Loop::numbers() const {
  const auto step = static_cast<double>(state_.step);
  StepNumbers numbers;
  numbers.epoch = state_.epoch;
  numbers.step = state_.step;
  numbers.epoch_position = step / static_cast<double>(sampler_.batches_per_epoch());
  numbers.progress = step / static_cast<double>(std::max<int64_t>(steps_total_, 1));
  numbers.group = group_size(state_.step_in_epoch);
  return numbers;
}

void Loop::train_step(const Batch& batch) {
  if (pass_over_batch()) return;
  if (state_.step_in_epoch % phase_.train.accumulate == 0) policy_.begin_step(state_, metrics_);
  const StepResult result = runner_.run(batch, numbers());
  std::string problem = collect(result.terms);
  if (problem.empty()) problem = find_bad_buffer();
  const double rate = rate_at(state_.step);
  ++state_.step_in_epoch;
  // The last batches of an epoch make a step too, be they fewer.
  if (problem.empty() && !mid_accumulation()) problem = update(rate);
  if (problem.empty()) {
    runner_.after_backward(result);
  } else {
    recover(problem);
  }
  if (!rolled_back_) ++state_.step;
  clock_.mark(StepPart::Optimizer);
}

/// Whether the batch is of a group that is skipped: then it only counts.
bool Loop::pass_over_batch() {
  if (!passing_over_) return false;
  ++state_.step_in_epoch;
  ++state_.step;
  passing_over_ = mid_accumulation();
  return true;
}

/// The batches of the group that a batch of the epoch belongs to: of the epoch's last group those
/// that are left.
int64_t Loop::group_size(int64_t batch) const {
  const int64_t first = batch - batch % phase_.train.accumulate;
  return std::min(phase_.train.accumulate, sampler_.batches_per_epoch() - first);
}

/// One step of the optimizers, unless a gradient is not finite: then what is wrong.
std::string Loop::update(double rate) {
  const std::vector<at::Tensor> norms = runner_.make_gradient_norms();
  for (const at::Tensor& norm : norms) {
    if (!reads_each_step_) {
      losses_.add_norm(state_.step, norm);
    } else if (!std::isfinite(norm.item().toDouble())) {
      return find_bad_gradient(state_.step);
    }
  }
  runner_.update(rate, norms);
  state_.bad_in_a_row = 0;
  for (Learner& learner : learners_) learner.average_weights(state_.step / phase_.train.accumulate);
  return "";
}

std::string Loop::collect(const LossTerms& terms) {
  if (terms.names != state_.terms) {
    flush_or_throw();
    state_.terms = terms.names;
    // A transfer came or went within the epoch: the means are over the steps since then.
    state_.loss_sums.assign(state_.terms.size(), 0);
    state_.loss_count = 0;
  }
  losses_.add(terms, state_);
  return reads_each_step_ ? flush_losses() : "";  // before the update: a bad step changes nothing
}

void Loop::flush_or_throw() {
  const std::string problem = flush_losses();
  if (!problem.empty()) throw NonFiniteError(problem);
}

/// Reads the losses of the steps that were not read yet; returns what is not finite, or "".
std::string Loop::flush_losses() {
  const std::optional<NotFinite> bad = losses_.read(state_);
  if (!bad) return "";
  if (bad->term.empty()) return find_bad_gradient(bad->step);
  return phase_.name + ", step " + std::to_string(bad->step) + ": the loss term \"" + bad->term +
         "\" is " + (std::isnan(bad->value) ? "NaN" : "infinite") + remedy_at(bad->step);
}

}  // namespace retort::host
