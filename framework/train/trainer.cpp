#include "framework/train/trainer.hpp"

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

std::vector<ParameterSet*> find_trained_owners(const Phase& phase) {
  std::vector<ParameterSet*> owners = {&phase.student().parameters()};
  for (const auto& term : phase.terms)
    if (term->parameters() != nullptr) owners.push_back(term->parameters());
  return owners;
}

/// Sets the transfers up before the optimizer collects their parameters.
Phase with_transfers_set_up(Phase phase) {
  set_transfers_up(phase);
  return phase;
}

}  // namespace

Trainer::Trainer(Phase phase)
    : phase_(with_transfers_set_up(std::move(phase))),
      student_(phase_.student()),
      sampler_(make_sampler(phase_)),
      loader_(*phase_.data, sampler_, make_views(phase_), phase_.seed, phase_.mix),
      optimizer_(phase_.train, find_trained_owners(phase_)),
      clock_(student_.placement().device, phase_.timing),
      runner_(phase_, optimizer_, clock_),
      reads_each_step_(student_.placement().device.is_cpu() ||
                       phase_.train.non_finite != NonFinite::Stop) {
  steps_total_ = phase_.train.epochs * sampler_.batches_per_epoch();
  for (const auto& term : phase_.terms) term->set_metrics(&metrics_);
  if (phase_.train.ema > 0) average_.emplace(student_.parameters(), phase_.train.ema);
  if (phase_.train.non_finite == NonFinite::Skip) {
    step_memory_.emplace(phase_, phase_.train.accumulate > 1 ? KeptTensors::BuffersAndTrained
                                                             : KeptTensors::Buffers);
  }
}

bool Trainer::run() {
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
  if (average_) average_->swap();
  return true;
}

void Trainer::finish_epoch() {
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
  if (average_) average_->swap();
  const auto measure = [&](EvalSplit split) {
    return evaluate(student_, *phase_.data, *phase_.learner().views, phase_.train.eval_batch_size,
                    split);
  };
  report.accuracy = measure(EvalSplit::Test);
  if (!phase_.data->validation.empty()) report.validation = measure(EvalSplit::Validation);
  // The best epoch is chosen on what was held out, and on the test split where nothing was. One
  // with outputs that are not finite is none.
  const Accuracy& judged = report.validation ? *report.validation : report.accuracy;
  const bool finite = judged.not_finite == 0 && report.accuracy.not_finite == 0;
  report.best = finite && judged.top1() > state_.best;
  if (report.best) {
    state_.best = judged.top1();
    state_.best_test = report.accuracy;
    state_.best_epoch = report.epoch;
    if (on_best) on_best();
  }
  if (average_) average_->swap();
  state_.last = report.accuracy;
  state_.stopped_early =
      phase_.train.early_stop > 0 && report.epoch - state_.best_epoch >= phase_.train.early_stop;
  ++state_.epoch;
  state_.step_in_epoch = 0;
  compare_process_state();  // before a file is written: evaluating calls plugins too
  if (on_epoch) on_epoch(report);
}

void Trainer::run_steps(int64_t steps) {
  for (state_.epoch = 0; steps > 0; ++state_.epoch) {
    const int64_t before = state_.step;
    state_.step_in_epoch = 0;
    if (train_epoch(steps) == Ended::Stopped) return;
    steps -= state_.step - before;
  }
}

/// Starts on the state's epoch, or goes on within it.
void Trainer::begin_epoch() {
  if (state_.step_in_epoch == 0) {
    state_.terms.clear();
    state_.loss_sums.clear();
    state_.loss_count = 0;
    losses_.clear_means();
  }
  passing_over_ = false;
  const bool starts = state_.step_in_epoch == 0 || !rollback_point_;
  if (phase_.train.non_finite == NonFinite::Rollback && starts) {
    rollback_point_ = {state(), current_tensors()};
    for (NamedTensor& tensor : rollback_point_->tensors) {
      tensor.second = tensor.second.detach().clone();
    }
  }
  loader_.start_epoch(state_.epoch, state_.step_in_epoch);
}

Trainer::Ended Trainer::train_epoch(int64_t max_steps) {
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

bool Trainer::mid_accumulation() const {
  return state_.step_in_epoch % phase_.train.accumulate != 0 &&
         state_.step_in_epoch < sampler_.batches_per_epoch();
}

double Trainer::rate_at(int64_t step) const {
  return learning_rate(phase_.train, step, sampler_.batches_per_epoch()) * state_.lr_factor;
}

void Trainer::report_progress(int64_t epoch, int64_t step_in_epoch, int64_t steps_now,
                              double seconds) {
  if (!on_progress) return;
  const double images = static_cast<double>(steps_now * phase_.batch_size);
  const double left =
      seconds / static_cast<double>(steps_now) * static_cast<double>(steps_total_ - state_.step);
  on_progress({phase_.name, epoch, phase_.train.epochs, step_in_epoch, sampler_.batches_per_epoch(),
               images / seconds, left, losses_.means()});
}

}  // namespace retort::host
