// What a trainer does with one batch.
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>

#include "framework/base/error.hpp"
#include "framework/train/backward.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/trainer.hpp"

namespace retort::host {
namespace {

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

at::Tensor task_loss(const at::Tensor& logits, const Batch& batch, double label_smoothing) {
  const auto cross_entropy = [&](const at::Tensor& wanted) {
    return at::cross_entropy_loss(logits, wanted, {}, at::Reduction::Mean, -100, label_smoothing);
  };
  const at::Tensor* mixed_labels = batch.find(kMixedLabelField);
  if (mixed_labels == nullptr) return cross_entropy(batch.at(kLabelField));
  // The order of the two is the order in which their gradients are added: part of the bits.
  const at::Tensor mixed = cross_entropy(*mixed_labels);
  return cross_entropy(batch.at(kLabelField)).mul(batch.share).add(mixed, 1 - batch.share);
}

/// Whether a strategy of non-zero weight reads the teacher's outputs.
bool need_teacher(const std::vector<std::pair<Transfer*, double>>& active) {
  return std::any_of(active.begin(), active.end(),
                     [](const auto& entry) { return entry.first->needs_teacher(); });
}

}  // namespace

double Trainer::epoch_position() const {
  return static_cast<double>(state_.step) / static_cast<double>(sampler_.batches_per_epoch());
}

Trainer::ActiveTransfers Trainer::active_transfers() const {
  ActiveTransfers active;
  for (Transfer* transfer : plan_.transfers) {
    const double weight = transfer->weight_at(epoch_position());
    if (weight != 0) active.emplace_back(transfer, weight);
  }
  return active;
}

/// The fields that this step reads.
Batch Trainer::move_to_device(const Batch& batch, bool with_teacher) const {
  std::vector<std::string> fields = {kLabelField, kIndexField, kImageField};
  if (with_teacher && find_teacher_field(plan_) != kImageField)
    fields.push_back(find_teacher_field(plan_));
  if (!batch.addressable()) fields.emplace_back(kMixedLabelField);
  return batch.to(plan_.student->placement().device, fields);
}

/// `batch` is on the device.
StepInputs Trainer::forward(const Batch& batch, int64_t epoch, bool with_teacher) {
  const at::Device device = plan_.student->placement().device;
  StepInputs inputs;
  inputs.epoch = epoch;
  inputs.step = state_.step;
  inputs.labels = batch.at(kLabelField);
  inputs.indices = batch.at(kIndexField);
  inputs.progress = at::full(
      {},
      static_cast<double>(state_.step) / static_cast<double>(std::max<int64_t>(steps_total_, 1)),
      at::TensorOptions().dtype(at::kFloat).device(device));
  mark(StepPart::Data);
  if (with_teacher) {
    const c10::NoGradGuard without_gradients;
    plan_.teacher->set_step(state_.step);
    inputs.teacher = plan_.teacher->forward(batch.at(find_teacher_field(plan_)), teacher_taps_,
                                            /*training=*/false);
    mark(StepPart::Teacher);
  }
  plan_.student->set_step(state_.step);
  inputs.student = plan_.student->forward(batch.at(kImageField), student_taps_, /*training=*/true);
  mark(StepPart::Forward);
  return inputs;
}

/// The terms of one step's loss, their weighted sum, and what each strategy saw.
struct Trainer::StepLoss {
  LossTerms terms;
  at::Tensor total;
  std::vector<std::pair<Transfer*, StepInputs>> seen;
  LossGraph graph;
};

/// A term may warm up without a gradient path; one that had a path and has none teaches less than its
/// author thinks. Told once.
void Trainer::warn_of_lost_path(const Transfer* transfer, const at::Tensor& loss) {
  if (loss.requires_grad()) {
    told_pathless_.try_emplace(transfer, false);
    return;
  }
  const auto before = told_pathless_.find(transfer);
  if (before == told_pathless_.end() || std::exchange(before->second, true)) return;
  spdlog::warn(
      "{}, step {}: the loss of {} has no gradient path any more; it teaches nothing in such a "
      "step",
      plan_.phase, state_.step, transfer->config().name);
}

Trainer::StepLoss Trainer::compute_loss(const Batch& batch, const StepInputs& inputs,
                                        const ActiveTransfers& active) {
  StepLoss step;
  at::Tensor& total = step.total;
  if (plan_.task_weight != 0 || active.empty()) {
    const at::Tensor task = task_loss(inputs.student.logits, batch, plan_.train.label_smoothing);
    step.terms.add("task", task);
    total = task.mul(plan_.task_weight);
  }
  for (const auto& [transfer, weight] : active) {
    StepInputs own = inputs;
    own.student = select(inputs.student, student_taps_, transfer->config().bind_student);
    own.teacher = {};
    if (plan_.teacher != nullptr && transfer->needs_teacher()) {
      own.teacher = select(inputs.teacher, teacher_taps_, transfer->config().bind_teacher);
    }
    transfer->parameters().begin_pass(false);
    const at::Tensor loss = transfer->loss(own);
    warn_of_lost_path(transfer, loss);
    step.terms.add(transfer->config().name, loss);
    total = total.defined() ? total.add(loss.mul(weight)) : loss.mul(weight);
    step.graph.terms.emplace_back(&transfer->config().strategy.info, loss);
    step.seen.emplace_back(transfer, std::move(own));
  }
  step.terms.add("loss", total);  // last: a term that is not finite is told before the sum
  return step;
}

void Trainer::train_step(const Batch& batch, int64_t epoch) {
  if (pass_over_batch()) return;
  const int64_t group = group_size(state_.step_in_epoch);
  if (step_memory_ && state_.step_in_epoch % plan_.train.accumulate == 0) {
    step_memory_->take(state_, metrics_);
  }
  const ActiveTransfers active = active_transfers();
  const uint64_t first_node = next_graph_node();
  const bool with_teacher = plan_.teacher != nullptr && need_teacher(active);
  const Batch moved = move_to_device(batch, with_teacher);
  const StepInputs inputs = forward(moved, epoch, with_teacher);
  StepLoss loss = compute_loss(moved, inputs, active);
  mark(StepPart::Loss);

  loss.graph.phase = plan_.phase;
  loss.graph.step = state_.step;
  loss.graph.first_node = first_node;
  loss.graph.model = &plan_.student->component();
  loss.graph.student = &inputs.student;
  // The mean over the group: its batches are of one size.
  run_backward(group > 1 ? loss.total.div(static_cast<double>(group)) : loss.total, loss.graph);
  mark(StepPart::Backward);

  std::string problem = collect(loss.terms);
  if (problem.empty()) problem = find_bad_buffer();
  const double rate = rate_at(state_.step);
  ++state_.step_in_epoch;
  // The last batches of an epoch make a step too, be they fewer.
  if (problem.empty() && !mid_accumulation()) problem = update(rate);
  if (problem.empty()) {
    for (const auto& [transfer, own] : loss.seen) {
      const c10::NoGradGuard without_gradients;
      transfer->after_backward(own);
    }
  } else {
    recover(problem);
  }
  if (!rolled_back_) ++state_.step;
  mark(StepPart::Optimizer);
}

/// Whether the batch is of a group that is skipped: then it only counts.
bool Trainer::pass_over_batch() {
  if (!passing_over_) return false;
  ++state_.step_in_epoch;
  ++state_.step;
  passing_over_ = mid_accumulation();
  return true;
}

/// The batches of the group that a batch of the epoch belongs to: of the epoch's last group those
/// that are left.
int64_t Trainer::group_size(int64_t batch) const {
  const int64_t first = batch - batch % plan_.train.accumulate;
  return std::min(plan_.train.accumulate, sampler_.batches_per_epoch() - first);
}

/// One step of the optimizer, unless the gradient is not finite: then what is wrong.
std::string Trainer::update(double rate) {
  const at::Tensor norm = optimizer_.gradient_norm();
  if (reads_each_step_) {
    if (!std::isfinite(norm.item().toDouble())) return find_bad_gradient(state_.step);
  } else {
    losses_.add_norm(state_.step, norm);
  }
  if (plan_.train.clip_norm) optimizer_.clip(*plan_.train.clip_norm, norm);
  optimizer_.step(rate);
  optimizer_.zero_grad();
  state_.bad_in_a_row = 0;
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
  if (bad->term.empty()) return find_bad_gradient(bad->step);
  return plan_.phase + ", step " + std::to_string(bad->step) + ": the loss term \"" + bad->term +
         "\" is " + (std::isnan(bad->value) ? "NaN" : "infinite") + kNonFiniteRemedy;
}

}  // namespace retort::host
