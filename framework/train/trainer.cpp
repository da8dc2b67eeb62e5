#include "framework/train/trainer.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "framework/error.hpp"
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

/// What one strategy sees of a network's outputs: its own taps, in the order of its binding.
Outputs select(const Outputs& all, const std::vector<std::string>& names,
               const std::vector<std::string>& wanted) {
  Outputs outputs;
  outputs.logits = all.logits;
  for (const std::string& tap : wanted) {
    const auto at = std::find(names.begin(), names.end(), tap) - names.begin();
    outputs.features.push_back(all.features[static_cast<size_t>(at)]);
  }
  return outputs;
}

/// Sets the transfers up before the optimizer collects their parameters.
const TrainingPlan& with_transfers_set_up(const TrainingPlan& plan) {
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
  for (size_t i = 0; i < plan.transfers.size(); ++i) {
    plan.transfers[i]->setup(run, *plan.student, plan.teacher,
                             "transfer[" + std::to_string(i) + "]");
  }
  return plan;
}

at::Tensor task_loss(const at::Tensor& logits, const at::Tensor& labels, const Batch& batch,
                     double label_smoothing) {
  const auto cross_entropy = [&](const at::Tensor& wanted) {
    return at::cross_entropy_loss(logits, wanted, {}, at::Reduction::Mean, -100, label_smoothing);
  };
  if (!batch.mixed_labels.defined()) return cross_entropy(labels);
  const at::Tensor mixed = cross_entropy(batch.mixed_labels.to(labels.device(), true));
  return cross_entropy(labels).mul(batch.mix).add(mixed, 1 - batch.mix);
}

}  // namespace

Trainer::Trainer(const TrainingPlan& plan)
    : plan_(with_transfers_set_up(plan)),
      loader_(*plan.data, *plan.student_views,
              plan.teacher == nullptr ? nullptr : plan.teacher_views, plan.batch_size, plan.seed,
              plan.mix),
      optimizer_(plan.train, trained_owners(plan)),
      reads_each_step_(plan.student->placement().device.is_cpu() ||
                       plan.train.non_finite != NonFinite::Stop) {
  steps_total_ = plan.train.epochs * loader_.batches_per_epoch();
  for (Transfer* transfer : plan_.transfers) {
    add_taps(student_taps_, transfer->config().bind_student);
    if (plan_.teacher != nullptr) add_taps(teacher_taps_, transfer->config().bind_teacher);
    transfer->set_metrics(&metrics_);
  }
  if (plan_.train.ema > 0) average_.emplace(plan_.student->parameters(), plan_.train.ema);
}

bool Trainer::run() {
  while (state_.epoch < plan_.train.epochs && !state_.stopped_early) {
    const double start = now();
    const Ended ended = train_epoch(loader_.batches_per_epoch());
    state_.train_seconds += now() - start;
    if (ended == Ended::Stopped) return false;
    if (ended == Ended::Whole) finish_epoch();
  }
  if (average_) average_->swap();
  return true;
}

void Trainer::finish_epoch() {
  EpochReport report;
  report.epoch = state_.epoch + 1;
  report.train_seconds = std::exchange(epoch_seconds_, 0);
  report.lr = rate_at(std::max<int64_t>(state_.step - 1, 0));
  report.losses = losses_.means();
  report.metrics = metrics_.take_means();
  if (average_) average_->swap();
  const auto measure = [&](EvalSplit split) {
    return evaluate(*plan_.student, *plan_.data, *plan_.student_views, plan_.train.eval_batch_size,
                    split);
  };
  report.accuracy = measure(EvalSplit::Test);
  if (!plan_.data->validation.empty()) report.validation = measure(EvalSplit::Validation);
  // The best epoch is chosen on what was held out, and on the test split where nothing was.
  const double judged = report.validation ? report.validation->top1() : report.accuracy.top1();
  report.best = judged > state_.best;
  if (report.best) {
    state_.best = judged;
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
  if (plan_.train.non_finite == NonFinite::Rollback) {
    snapshot_state_ = state_;
    snapshot_ = tensors();
    for (NamedTensor& tensor : snapshot_) tensor.second = tensor.second.detach().clone();
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
      on_checkpoint();
    }
  }
  flush_or_throw();
  spend();
  return Ended::Whole;
}

bool Trainer::mid_accumulation() const {
  return state_.step_in_epoch % plan_.train.accumulate != 0 &&
         state_.step_in_epoch < loader_.batches_per_epoch();
}

double Trainer::rate_at(int64_t step) const {
  return learning_rate(plan_.train, step, loader_.batches_per_epoch()) * state_.lr_factor;
}

double Trainer::epoch_position() const {
  return static_cast<double>(state_.step) / static_cast<double>(loader_.batches_per_epoch());
}

std::vector<std::pair<Transfer*, double>> Trainer::active_transfers() const {
  std::vector<std::pair<Transfer*, double>> active;
  for (Transfer* transfer : plan_.transfers) {
    const double weight = transfer->weight_at(epoch_position());
    if (weight != 0) active.emplace_back(transfer, weight);
  }
  return active;
}

StepInputs Trainer::forward(const Batch& batch, int64_t epoch, bool with_teacher) {
  const at::Device device = plan_.student->placement().device;
  StepInputs inputs;
  inputs.epoch = epoch;
  inputs.step = state_.step;
  inputs.labels = batch.labels.to(device, /*non_blocking=*/true);
  inputs.indices = batch.indices.to(device, true);
  inputs.progress = at::full(
      {},
      static_cast<double>(state_.step) / static_cast<double>(std::max<int64_t>(steps_total_, 1)),
      at::TensorOptions().dtype(at::kFloat).device(device));
  const at::Tensor images = batch.student_images.to(device, true);
  mark(StepPart::Data);
  if (with_teacher) {
    const c10::NoGradGuard without_gradients;
    const bool shared = batch.teacher_images.is_same(batch.student_images);
    plan_.teacher->set_step(state_.step);
    inputs.teacher = plan_.teacher->forward(shared ? images : batch.teacher_images.to(device, true),
                                            teacher_taps_,
                                            /*training=*/false);
    mark(StepPart::Teacher);
  }
  plan_.student->set_step(state_.step);
  inputs.student = plan_.student->forward(images, student_taps_, /*training=*/true);
  mark(StepPart::Forward);
  return inputs;
}

void Trainer::train_step(const Batch& batch, int64_t epoch) {
  const auto active = active_transfers();
  const StepInputs inputs = forward(batch, epoch, plan_.teacher != nullptr && !active.empty());

  LossTerms terms;
  at::Tensor total;
  if (plan_.task_weight != 0 || active.empty()) {
    const at::Tensor task =
        task_loss(inputs.student.logits, inputs.labels, batch, plan_.train.label_smoothing);
    terms.add("task", task);
    total = task.mul(plan_.task_weight);
  }
  std::vector<std::pair<Transfer*, StepInputs>> seen;
  for (const auto& [transfer, weight] : active) {
    StepInputs own = inputs;
    own.student = select(inputs.student, student_taps_, transfer->config().bind_student);
    if (plan_.teacher != nullptr) {
      own.teacher = select(inputs.teacher, teacher_taps_, transfer->config().bind_teacher);
    }
    transfer->parameters().begin_pass(false);
    const at::Tensor loss = transfer->loss(own);
    terms.add(transfer->config().name, loss);
    total = total.defined() ? total.add(loss.mul(weight)) : loss.mul(weight);
    seen.emplace_back(transfer, std::move(own));
  }
  terms.add("loss", total);  // last: a term that is not finite is told before the sum
  mark(StepPart::Loss);

  if (plan_.train.accumulate > 1) {
    total = total.div(static_cast<double>(plan_.train.accumulate));
  }
  total.backward();
  mark(StepPart::Backward);

  std::string problem = collect(terms);
  const double rate = rate_at(state_.step);
  ++state_.step_in_epoch;
  // The last batches of an epoch make a step too, be they fewer.
  if (problem.empty() && !mid_accumulation()) problem = update(rate);
  if (problem.empty()) {
    bad_in_a_row_ = 0;
    for (const auto& [transfer, own] : seen) {
      const c10::NoGradGuard without_gradients;
      transfer->after_backward(own);
    }
  }
  if (!problem.empty()) recover(problem);
  if (!rolled_back_) ++state_.step;
  mark(StepPart::Optimizer);
}

/// One step of the optimizer, unless the gradient is not finite: then what is wrong.
std::string Trainer::update(double rate) {
  const at::Tensor norm = optimizer_.gradient_norm();
  if (reads_each_step_) {
    if (!std::isfinite(norm.item().toDouble())) return bad_gradient(state_.step);
  } else {
    losses_.add_norm(state_.step, norm);
  }
  if (plan_.train.clip_norm) optimizer_.clip(*plan_.train.clip_norm, norm);
  optimizer_.step(rate);
  optimizer_.zero_grad();
  if (average_) average_->update(state_.step / plan_.train.accumulate);
  return "";
}

std::string Trainer::collect(const LossTerms& terms) {
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

void Trainer::flush_or_throw() {
  const std::string problem = flush_losses();
  if (!problem.empty()) throw NonFiniteError(problem);
}

/// Reads the losses of the steps that were not read yet; returns what is not finite, or "".
std::string Trainer::flush_losses() {
  const std::optional<NotFinite> bad = losses_.read(state_);
  if (!bad) return "";
  if (bad->term.empty()) return bad_gradient(bad->step);
  return plan_.phase + ", step " + std::to_string(bad->step) + ": the loss term \"" + bad->term +
         "\" is " + (std::isnan(bad->value) ? "NaN" : "infinite") + kNonFiniteRemedy;
}

void Trainer::report_progress(int64_t epoch, int64_t step_in_epoch, int64_t steps_now,
                              double seconds) {
  if (!on_progress) return;
  const double images = static_cast<double>(steps_now * plan_.batch_size);
  const double left =
      seconds / static_cast<double>(steps_now) * static_cast<double>(steps_total_ - state_.step);
  on_progress({plan_.phase, epoch, plan_.train.epochs, step_in_epoch, loader_.batches_per_epoch(),
               images / seconds, left, losses_.means()});
}

void Trainer::mark(StepPart part) {
  if (plan_.measure) synchronize(plan_.student->placement().device);
  const double time = now();
  times_[static_cast<size_t>(part)] += time - mark_;
  mark_ = time;
}

}  // namespace retort::host
