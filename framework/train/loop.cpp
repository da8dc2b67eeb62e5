#include "framework/train/loop.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "framework/base/error.hpp"
#include "framework/guard/plugin_entry.hpp"
#include "framework/train/device.hpp"
#include "framework/train/interrupt.hpp"
#include "framework/train/schedule.hpp"

namespace retort::host {
namespace {

constexpr int64_t kUnreadStepsOnGpu = 50;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Sets the transfers up before the optimizers collect their parameters.
Phase with_transfers_set_up(Phase phase) {
  set_transfers_up(phase);
  return phase;
}

}  // namespace

Loop::Loop(Phase phase)
    : phase_(with_transfers_set_up(std::move(phase))),
      sampler_(make_sampler(phase_)),
      loader_(*phase_.data, sampler_, make_views(phase_), phase_.seed, phase_.mix),
      learners_(make_learners(phase_)),
      clock_(phase_.placement().device, phase_.timing),
      runner_(phase_, learners_, clock_),
      policy_(phase_),
      reads_each_step_(phase_.placement().device.is_cpu() || policy_.undoes()) {
  steps_total_ = phase_.train.epochs * sampler_.batches_per_epoch();
  for (const auto& term : phase_.terms) term->set_metrics(&metrics_);
  state_.standings.resize(learners_.size());
}

bool Loop::run() {
  watch_process_state();
  if (state_.step == 0) note_start();
  while (state_.epoch < phase_.train.epochs && !state_.stopped_early) {
    const double start = now();
    const Ended ended = train_epoch(sampler_.batches_per_epoch());
    state_.train_seconds += now() - start;
    if (ended == Ended::Stopped) return false;
    if (ended == Ended::Whole) finish_epoch();
  }
  check_skipped();
  for (Learner& learner : learners_) learner.swap_average();
  return true;
}

/// Evaluates a learner, and notes whether it was better than ever.
LearnerReport Loop::judge(const Learner& learner, Standing& standing) const {
  const auto measure = [&](EvalSplit split) {
    return evaluate(learner.network(), *phase_.data, learner.participant().eval_views(),
                    phase_.train.eval_batch_size, split);
  };
  LearnerReport report;
  report.name = learner.participant().name;
  report.accuracy = measure(EvalSplit::Test);
  if (!phase_.data->validation.empty()) report.validation = measure(EvalSplit::Validation);
  // The best epoch is chosen on what was held out, and on the test split where nothing was. One
  // with outputs that are not finite is none.
  const Accuracy& judged = report.validation ? *report.validation : report.accuracy;
  const bool finite = judged.not_finite == 0 && report.accuracy.not_finite == 0;
  report.best = finite && judged.top1() > standing.best;
  if (report.best) standing = {report.accuracy, judged.top1(), state_.epoch + 1, report.accuracy};
  standing.last = report.accuracy;
  return report;
}

void Loop::finish_epoch() {
  compare_process_state();
  warn_of_idle_weights();
  EpochReport report;
  report.epoch = state_.epoch + 1;
  report.train_seconds = std::exchange(epoch_seconds_, 0);
  report.lr = rate_at(std::max<int64_t>(state_.step - 1, 0));
  report.losses = losses_.means();
  report.metrics = metrics_.take_means();
  for (const auto& [name, mean] : report.metrics) {
    if (std::isfinite(mean)) continue;
    spdlog::warn(
        "{}, epoch {}: the metric {} is {}; a step of the epoch logged it so, or the sum of its "
        "steps is beyond float32",
        phase_.name, report.epoch, name, mean);
  }
  int64_t best_epoch = 0;  // the last one of any learner
  for (size_t i = 0; i < learners_.size(); ++i) {
    learners_[i].swap_average();
    report.learners.push_back(judge(learners_[i], state_.standings[i]));
    best_epoch = std::max(best_epoch, state_.standings[i].best_epoch);
    if (report.learners.back().best && on_best) on_best(learners_[i].participant());
    learners_[i].swap_average();
  }
  state_.stopped_early =
      phase_.train.early_stop > 0 && report.epoch - best_epoch >= phase_.train.early_stop;
  ++state_.epoch;
  state_.step_in_epoch = 0;
  compare_process_state();  // before a file is written: evaluating calls plugins too
  if (on_epoch) on_epoch(report);
}

void Loop::run_steps(int64_t steps) {
  for (state_.epoch = 0; steps > 0; ++state_.epoch) {
    const int64_t before = state_.step;
    state_.step_in_epoch = 0;
    if (train_epoch(steps) == Ended::Stopped) return;
    steps -= state_.step - before;
  }
}

/// Starts on the state's epoch, or goes on within it.
void Loop::begin_epoch() {
  if (state_.step_in_epoch == 0) {
    state_.terms.clear();
    state_.loss_sums.clear();
    state_.loss_count = 0;
    losses_.clear_means();
  }
  passing_over_ = false;
  if (policy_.rolls_back() && (state_.step_in_epoch == 0 || !policy_.point()))
    policy_.set_point(state(), current_tensors());
  loader_.start_epoch(state_.epoch, state_.step_in_epoch);
}

Loop::Ended Loop::train_epoch(int64_t max_steps) {
  begin_epoch();
  const double start = now();
  clock_.start();
  const int64_t unread_limit = reads_each_step_ ? 1 : kUnreadStepsOnGpu;
  const int64_t first = state_.step_in_epoch;
  const auto spend = [&] { epoch_seconds_ += now() - start; };
  while (state_.step_in_epoch - first < max_steps) {
    // Between two steps of the optimizer no gradient waits: what is saved is all there is.
    if (pending_signal() != 0 && !mid_accumulation()) {
      flush_or_throw();
      spend();
      return Ended::Stopped;
    }
    std::optional<Batch> batch = loader_.next();
    if (!batch) break;
    train_step(*batch);
    if (std::exchange(rolled_back_, false)) {
      spend();
      return Ended::RolledBack;
    }
    if (losses_.unread() >= unread_limit) flush_or_throw();
    report_progress(state_.epoch, state_.step_in_epoch, state_.step_in_epoch - first,
                    now() - start);
    if (checkpoint_steps > 0 && state_.step % checkpoint_steps == 0 && !mid_accumulation() &&
        on_checkpoint) {
      flush_or_throw();
      compare_process_state();
      on_checkpoint();
    }
  }
  flush_or_throw();
  check_weights();
  spend();
  return std::exchange(rolled_back_, false) ? Ended::RolledBack : Ended::Whole;
}

bool Loop::mid_accumulation() const {
  return state_.step_in_epoch % phase_.train.accumulate != 0 &&
         state_.step_in_epoch < sampler_.batches_per_epoch();
}

double Loop::rate_at(int64_t step) const {
  return learning_rate(phase_.train, step, sampler_.batches_per_epoch()) * state_.lr_factor;
}

void Loop::report_progress(int64_t epoch, int64_t step_in_epoch, int64_t steps_now,
                           double seconds) {
  if (!on_progress) return;
  const double images = static_cast<double>(steps_now * phase_.batch_size);
  const double left =
      seconds / static_cast<double>(steps_now) * static_cast<double>(steps_total_ - state_.step);
  on_progress({phase_.name, epoch, phase_.train.epochs, step_in_epoch, sampler_.batches_per_epoch(),
               images / seconds, left, losses_.means()});
}

}  // namespace retort::host
