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

std::vector<ParameterSet*> trained_owners(const TrainingPlan& plan) {
  std::vector<ParameterSet*> owners = {&plan.student->parameters()};
  for (Transfer* transfer : plan.transfers) owners.push_back(&transfer->parameters());
  return owners;
}

void add_taps(std::vector<std::string>& all, const std::vector<std::string>& taps) {
  for (const std::string& tap : taps) {
    if (std::find(all.begin(), all.end(), tap) == all.end()) all.push_back(tap);
  }
}

/// Sets the transfers up that are not, before the optimizer collects their parameters.
const TrainingPlan& with_transfers_set_up(const TrainingPlan& plan) {
  const RunShape run = make_run_shape(plan);
  for (size_t i = 0; i < plan.transfers.size(); ++i) {
    if (plan.transfers[i]->is_set_up()) continue;
    plan.transfers[i]->setup(run, *plan.student, plan.teacher,
                             "transfer[" + std::to_string(i) + "]");
  }
  return plan;
}

}  // namespace

Sampler make_sampler(const TrainingPlan& plan) {
  return {plan.data->trained_samples(), plan.batch_size, plan.seed};
}

std::string find_teacher_field(const TrainingPlan& plan) {
  return plan.teacher_views == plan.student_views ? kImageField
                                                  : std::string(kImageField) + "@teacher";
}

std::vector<View> make_views(const TrainingPlan& plan) {
  std::vector<View> views = {{kImageField, plan.student_views}};
  if (plan.teacher != nullptr && plan.teacher_views != plan.student_views)
    views.push_back({find_teacher_field(plan), plan.teacher_views});
  return views;
}

RunShape make_run_shape(const TrainingPlan& plan) {
  const int64_t steps_per_epoch = plan.data->trained_count() / plan.batch_size;
  if (steps_per_epoch < 1) {
    throw ConfigError("data.batch_size = " + std::to_string(plan.batch_size) +
                      " is more than the " + std::to_string(plan.data->trained_count()) +
                      " training samples; make it smaller");
  }
  RunShape run;
  run.class_count = plan.data->class_count;
  // The whole split, held-out samples included: the indices that strategies see address it.
  run.train_count = plan.data->train.size();
  run.batch_size = plan.batch_size;
  run.epoch_count = plan.train.epochs;
  run.step_count = plan.train.epochs * steps_per_epoch;
  run.labels = plan.data->train.labels.const_data_ptr<int64_t>();
  return run;
}

Trainer::Trainer(const TrainingPlan& plan)
    : plan_(with_transfers_set_up(plan)),
      sampler_(make_sampler(plan)),
      loader_(*plan.data, sampler_, make_views(plan), plan.seed, plan.mix),
      optimizer_(plan.train, trained_owners(plan)),
      reads_each_step_(plan.student->placement().device.is_cpu() ||
                       plan.train.non_finite != NonFinite::Stop) {
  steps_total_ = plan.train.epochs * sampler_.batches_per_epoch();
  for (Transfer* transfer : plan_.transfers) {
    add_taps(student_taps_, transfer->config().bind_student);
    if (plan_.teacher != nullptr && transfer->needs_teacher()) {
      add_taps(teacher_taps_, transfer->config().bind_teacher);
    }
    transfer->set_metrics(&metrics_);
  }
  if (plan_.train.ema > 0) average_.emplace(plan_.student->parameters(), plan_.train.ema);
  if (plan_.train.non_finite == NonFinite::Skip) {
    step_memory_.emplace(plan_.student->parameters(), plan_.transfers, plan_.train.accumulate > 1);
  }
}

bool Trainer::run() {
  watch_process_state();
  while (state_.epoch < plan_.train.epochs && !state_.stopped_early) {
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
        plan_.phase, report.epoch, name, mean);
  }
  if (average_) average_->swap();
  const auto measure = [&](EvalSplit split) {
    return evaluate(*plan_.student, *plan_.data, *plan_.student_views, plan_.train.eval_batch_size,
                    split);
  };
  report.accuracy = measure(EvalSplit::Test);
  if (!plan_.data->validation.empty()) report.validation = measure(EvalSplit::Validation);
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
      plan_.train.early_stop > 0 && report.epoch - state_.best_epoch >= plan_.train.early_stop;
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
  if (plan_.train.non_finite == NonFinite::Rollback && starts) {
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
  mark_ = start;
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
    train_step(*batch, state_.epoch);
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
  return state_.step_in_epoch % plan_.train.accumulate != 0 &&
         state_.step_in_epoch < sampler_.batches_per_epoch();
}

double Trainer::rate_at(int64_t step) const {
  return learning_rate(plan_.train, step, sampler_.batches_per_epoch()) * state_.lr_factor;
}

void Trainer::report_progress(int64_t epoch, int64_t step_in_epoch, int64_t steps_now,
                              double seconds) {
  if (!on_progress) return;
  const double images = static_cast<double>(steps_now * plan_.batch_size);
  const double left =
      seconds / static_cast<double>(steps_now) * static_cast<double>(steps_total_ - state_.step);
  on_progress({plan_.phase, epoch, plan_.train.epochs, step_in_epoch, sampler_.batches_per_epoch(),
               images / seconds, left, losses_.means()});
}

void Trainer::mark(StepPart part) {
  if (plan_.measure) synchronize(plan_.student->placement().device);
  const double time = now();
  times_[static_cast<size_t>(part)] += time - mark_;
  mark_ = time;
}

}  // namespace retort::host
