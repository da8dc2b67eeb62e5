#include "framework/train/trainer.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
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
  const int64_t steps_per_epoch = plan.data->train.size() / plan.batch_size;
  if (steps_per_epoch < 1) {
    throw ConfigError("data.batch_size = " + std::to_string(plan.batch_size) +
                      " is more than the " + std::to_string(plan.data->train.size()) +
                      " training samples; make it smaller");
  }
  RunShape run;
  run.class_count = plan.data->class_count;
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

}  // namespace

/// The loss terms of one step.
struct Trainer::Terms {
  std::vector<std::string> names;
  std::vector<at::Tensor> values;

  void add(const std::string& name, const at::Tensor& value) {
    names.push_back(name);
    values.push_back(value.detach());
  }
};

Trainer::Trainer(const TrainingPlan& plan)
    : plan_(with_transfers_set_up(plan)),
      loader_(*plan.data, *plan.student_views,
              plan.teacher == nullptr ? nullptr : plan.teacher_views, plan.batch_size, plan.seed),
      optimizer_(plan.train, trained_owners(plan)) {
  steps_total_ = plan.train.epochs * loader_.batches_per_epoch();
  for (Transfer* transfer : plan_.transfers) {
    add_taps(student_taps_, transfer->config().bind_student);
    if (plan_.teacher != nullptr) add_taps(teacher_taps_, transfer->config().bind_teacher);
    transfer->set_metrics(&metrics_);
  }
}

bool Trainer::run() {
  double best = -1;
  for (int64_t epoch = 0; epoch < plan_.train.epochs; ++epoch) {
    const double start = now();
    const bool whole = train_epoch(epoch, loader_.batches_per_epoch());
    EpochReport report;
    report.epoch = epoch + 1;
    report.train_seconds = now() - start;
    report.lr =
        learning_rate(plan_.train, std::max<int64_t>(step_ - 1, 0), loader_.batches_per_epoch());
    report.losses = losses_;
    report.metrics = metrics_.take_means();
    if (!whole) return false;
    report.accuracy =
        evaluate(*plan_.student, *plan_.data, *plan_.student_views, plan_.train.eval_batch_size);
    report.best = report.accuracy.top1() > best;
    best = std::max(best, report.accuracy.top1());
    if (on_epoch) on_epoch(report);
  }
  return true;
}

void Trainer::run_steps(int64_t steps) {
  for (int64_t epoch = 0; steps > 0; ++epoch) {
    const int64_t before = step_;
    if (!train_epoch(epoch, steps)) return;
    steps -= step_ - before;
  }
}

bool Trainer::train_epoch(int64_t epoch, int64_t max_steps) {
  loss_sums_.clear();
  losses_.clear();
  loss_count_ = 0;
  loader_.start_epoch(epoch);
  const double start = now();
  mark_ = start;
  const int64_t unread_limit = plan_.student->placement().device.is_cpu() ? 1 : kUnreadStepsOnGpu;
  for (int64_t step = 0; step < max_steps; ++step) {
    if (pending_signal() != 0) return false;
    std::optional<Batch> batch = loader_.next();
    if (!batch) break;
    train_step(*batch, epoch);
    if (static_cast<int64_t>(unread_.size()) >= unread_limit) flush_losses();
    report_progress(epoch, step + 1, now() - start);
  }
  flush_losses();
  return true;
}

double Trainer::epoch_position() const {
  return static_cast<double>(step_) / static_cast<double>(loader_.batches_per_epoch());
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
  inputs.step = step_;
  inputs.labels = batch.labels.to(device, /*non_blocking=*/true);
  inputs.indices = batch.indices.to(device, true);
  inputs.progress = at::full(
      {}, static_cast<double>(step_) / static_cast<double>(std::max<int64_t>(steps_total_, 1)),
      at::TensorOptions().dtype(at::kFloat).device(device));
  const at::Tensor images = batch.student_images.to(device, true);
  mark(StepPart::Data);
  if (with_teacher) {
    const c10::NoGradGuard without_gradients;
    const bool shared = batch.teacher_images.is_same(batch.student_images);
    plan_.teacher->set_step(step_);
    inputs.teacher = plan_.teacher->forward(shared ? images : batch.teacher_images.to(device, true),
                                            teacher_taps_,
                                            /*training=*/false);
    mark(StepPart::Teacher);
  }
  plan_.student->set_step(step_);
  inputs.student = plan_.student->forward(images, student_taps_, /*training=*/true);
  mark(StepPart::Forward);
  return inputs;
}

void Trainer::train_step(const Batch& batch, int64_t epoch) {
  const auto active = active_transfers();
  const StepInputs inputs = forward(batch, epoch, plan_.teacher != nullptr && !active.empty());

  Terms terms;
  at::Tensor total;
  if (plan_.task_weight != 0 || active.empty()) {
    const at::Tensor task =
        at::cross_entropy_loss(inputs.student.logits, inputs.labels, {}, at::Reduction::Mean, -100,
                               plan_.train.label_smoothing);
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

  total.backward();
  if (plan_.train.clip_norm) optimizer_.clip(*plan_.train.clip_norm);
  mark(StepPart::Backward);

  collect(terms);
  optimizer_.step(learning_rate(plan_.train, step_, loader_.batches_per_epoch()));
  optimizer_.zero_grad();
  for (const auto& [transfer, own] : seen) {
    const c10::NoGradGuard without_gradients;
    transfer->after_backward(own);
  }
  mark(StepPart::Optimizer);
  ++step_;
}

void Trainer::collect(const Terms& terms) {
  if (terms.names != term_names_) {
    flush_losses();
    term_names_ = terms.names;
    // A transfer came or went within the epoch: the means are over the steps since then.
    loss_sums_.assign(term_names_.size(), 0);
    loss_count_ = 0;
  }
  if (unread_.empty()) first_unread_ = step_;
  unread_.push_back(terms.values);
  if (plan_.student->placement().device.is_cpu())
    flush_losses();  // before the update: a bad step changes nothing
}

void Trainer::flush_losses() {
  if (unread_.empty()) return;
  std::vector<at::Tensor> flat;
  for (const auto& values : unread_) flat.insert(flat.end(), values.begin(), values.end());
  const at::Tensor read = at::stack(flat).to(at::kCPU, at::kDouble);
  const double* values = read.const_data_ptr<double>();
  const size_t terms = term_names_.size();
  loss_sums_.resize(terms, 0);
  for (size_t i = 0; i < flat.size(); ++i) {
    if (!std::isfinite(values[i])) {
      const int64_t step = first_unread_ + static_cast<int64_t>(i / terms);
      unread_.clear();
      throw NonFiniteError(
          plan_.phase + ", step " + std::to_string(step) + ": the loss term \"" +
          term_names_[i % terms] + "\" is " + (std::isnan(values[i]) ? "NaN" : "infinite") +
          "; lower the learning rate or this term's weight, or set train.clip_norm");
    }
    loss_sums_[i % terms] += values[i];
  }
  loss_count_ += static_cast<int64_t>(unread_.size());
  unread_.clear();
  losses_.clear();
  for (size_t term = 0; term < terms; ++term) {
    losses_.emplace_back(term_names_[term], loss_sums_[term] / static_cast<double>(loss_count_));
  }
}

void Trainer::report_progress(int64_t epoch, int64_t step_in_epoch, double seconds) {
  if (!on_progress) return;
  const double images = static_cast<double>(step_in_epoch * plan_.batch_size);
  const double left =
      seconds / static_cast<double>(step_in_epoch) * static_cast<double>(steps_total_ - step_);
  on_progress({plan_.phase, epoch, plan_.train.epochs, step_in_epoch, loader_.batches_per_epoch(),
               images / seconds, left, losses_});
}

void Trainer::mark(StepPart part) {
  if (plan_.measure) synchronize(plan_.student->placement().device);
  const double time = now();
  times_[static_cast<size_t>(part)] += time - mark_;
  mark_ = time;
}

}  // namespace retort::host
