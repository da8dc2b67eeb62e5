#include "framework/train/step.hpp"

#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "framework/train/device.hpp"
#include "framework/train/tensor_copies.hpp"

namespace retort::host {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void add_to(at::Tensor& sum, const at::Tensor& more) { sum = sum.defined() ? sum.add(more) : more; }

}  // namespace

void StepClock::start() { last_ = seconds_now(); }

void StepClock::mark(StepPart part) {
  if (timing_ == StepTiming::Done) synchronize(device_);
  const double now = seconds_now();
  times_[static_cast<size_t>(part)] += now - last_;
  last_ = now;
}

StepRunner::StepRunner(const Phase& phase, std::vector<Learner>& learners, StepClock& clock)
    : phase_(phase),
      learners_(learners),
      clock_(clock),
      device_(phase.placement().device),
      passes_(phase) {}

/// Those of non-zero weight; the first, the task's, where there is none.
StepRunner::ActiveTerms StepRunner::find_active_terms(double epoch_position) const {
  ActiveTerms active;
  for (size_t i = 0; i < phase_.terms.size(); ++i) {
    const double weight = phase_.terms[i]->weight_at(epoch_position);
    if (weight != 0) active.emplace_back(i, weight);
  }
  if (active.empty()) active.emplace_back(0, 0);
  return active;
}

/// By pass. A learner runs in each step, so that its statistics see every batch.
std::vector<bool> StepRunner::find_wanted(const ActiveTerms& active) const {
  const std::vector<Pass>& passes = passes_.all();
  std::vector<bool> wanted(passes.size(), false);
  for (const auto& [term, weight] : active)
    for (const size_t pass : passes_.find_wanted(term)) wanted[pass] = true;
  std::set<const Participant*> running;
  for (size_t i = 0; i < passes.size(); ++i)
    if (wanted[i]) running.insert(passes[i].participant);
  for (size_t i = 0; i < passes.size(); ++i)
    if (passes[i].participant->learns && running.insert(passes[i].participant).second)
      wanted[i] = true;
  return wanted;
}

/// The fields that the step reads, on the device.
Batch StepRunner::move(const Batch& batch, const std::vector<bool>& wanted) const {
  std::vector<std::string> fields = {kLabelField, kIndexField};
  if (!batch.addressable()) fields.emplace_back(kMixedLabelField);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::string& field = passes_.all()[i].view->field;
    const bool is_new = std::find(fields.begin(), fields.end(), field) == fields.end();
    if (wanted[i] && is_new) fields.push_back(field);
  }
  return batch.to(device_, fields);
}

Outputs StepRunner::make_outputs(const Pass& pass, const Batch& batch, int64_t step) const {
  const Participant& participant = *pass.participant;
  const SeenField seen = pass.seen();
  OutputSource& source = *participant.outputs;
  if (participant.learns) return source.make_outputs(batch, seen, pass.taps, PassMode::Train, step);
  const c10::NoGradGuard without_gradients;
  // A teacher in training mode computes with the batch's statistics, and stays the teacher that it is.
  TensorCopies buffers;
  if (participant.teaching == PassMode::Train)
    buffers.add(participant.network().parameters(), TensorCopies::Of::Buffers);
  Outputs outputs = source.make_outputs(batch, seen, pass.taps, participant.teaching, step);
  buffers.put_back();
  return outputs;
}

/// By pass; empty outputs for those that nobody wants.
std::vector<Outputs> StepRunner::run_passes(const Batch& batch, const StepNumbers& numbers,
                                            const std::vector<bool>& wanted) {
  const std::vector<Pass>& passes = passes_.all();
  std::vector<Outputs> outputs(passes.size());
  bool any = false;
  for (size_t i = 0; i < passes.size(); ++i) {
    if (!wanted[i] || passes[i].participant->learns) continue;
    outputs[i] = make_outputs(passes[i], batch, numbers.step);
    any = true;
  }
  if (any) clock_.mark(StepPart::Teacher);
  for (size_t i = 0; i < passes.size(); ++i) {
    if (!wanted[i] || !passes[i].participant->learns) continue;
    outputs[i] = make_outputs(passes[i], batch, numbers.step);
  }
  clock_.mark(StepPart::Forward);
  return outputs;
}

/// A term may warm up without a gradient path; one that had a path and has none teaches less than its
/// author thinks. Told once.
void StepRunner::warn_of_lost_path(const Term& term, const at::Tensor& loss,
                                   const StepNumbers& numbers) {
  if (loss.requires_grad()) {
    told_pathless_.try_emplace(&term, false);
    return;
  }
  const auto before = told_pathless_.find(&term);
  if (before == told_pathless_.end() || std::exchange(before->second, true)) return;
  spdlog::warn(
      "{}, step {}: the loss of {} has no gradient path any more; it teaches nothing in such a "
      "step",
      phase_.name, numbers.step, term.name());
}

LossGraph StepRunner::make_graph(const StepNumbers& numbers) const {
  LossGraph graph;
  graph.phase = phase_.name;
  graph.step = numbers.step;
  graph.first_node = next_graph_node();
  return graph;
}

/// The group whose backward pass is the term's too.
GradientGroup StepRunner::find_group(const Term& term) const {
  const bool apart = phase_.train.optimizer.keeps_groups_apart();
  return apart ? term.gradient_group() : GradientGroup::Task;
}

/// The backward passes, each adding to the gradients of its group.
void StepRunner::go_back(GroupLosses losses, const StepNumbers& numbers, const LossGraph& graph) {
  // A group whose losses have no gradient path now is left out; if none has one, that is told.
  std::erase_if(losses, [&](const auto& group_loss) {
    return losses.size() > 1 && !group_loss.second.requires_grad();
  });
  for (const auto& [group, loss] : losses) {
    for (Learner& learner : learners_) learner.optimizer().collect(group);
    const bool last = group == losses.rbegin()->first;
    // The mean over the batches that make one step, which are of one size.
    const auto batches = static_cast<double>(numbers.group);
    run_backward(numbers.group > 1 ? loss.div(batches) : loss, graph,
                 last ? GraphAfter::Freed : GraphAfter::Kept);
  }
}

StepResult StepRunner::run(const Batch& batch, const StepNumbers& numbers) {
  const ActiveTerms active = find_active_terms(numbers.epoch_position);
  const std::vector<bool> wanted = find_wanted(active);
  LossGraph graph = make_graph(numbers);
  StepView common;
  common.batch = move(batch, wanted);
  common.epoch = numbers.epoch;
  common.step = numbers.step;
  common.progress =
      at::full({}, numbers.progress, at::TensorOptions().dtype(at::kFloat).device(device_));
  clock_.mark(StepPart::Data);
  const std::vector<Outputs> outputs = run_passes(common.batch, numbers, wanted);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Participant& participant = *passes_.all()[i].participant;
    if (wanted[i] && participant.learns)
      graph.networks.emplace_back(&participant.network().component(), &outputs[i]);
  }

  StepResult result;
  GroupLosses losses;
  for (const auto& [position, weight] : active) {
    Term& term = *phase_.terms[position];
    StepView own = passes_.make_view(common, outputs, position);
    if (ParameterSet* parameters = term.parameters()) parameters->begin_pass(false);
    const at::Tensor loss = term.loss(own);
    warn_of_lost_path(term, loss, numbers);
    result.terms.add(term.name(), loss);
    add_to(losses[find_group(term)], loss.mul(weight));
    if (term.component() != nullptr) graph.terms.emplace_back(term.component(), loss);
    result.seen.emplace_back(&term, std::move(own));
  }
  at::Tensor total;
  for (const auto& [group, loss] : losses) add_to(total, loss);
  result.terms.add(std::string(names::kLoss),
                   total);  // last: a term that is not finite is told before the sum
  clock_.mark(StepPart::Loss);
  go_back(std::move(losses), numbers, graph);
  clock_.mark(StepPart::Backward);
  return result;
}

std::vector<at::Tensor> StepRunner::make_gradient_norms() const {
  std::vector<at::Tensor> norms;
  for (const Learner& learner : learners_) norms.push_back(learner.optimizer().gradient_norm());
  return norms;
}

void StepRunner::update(double rate, const std::vector<at::Tensor>& norms) {
  for (size_t i = 0; i < learners_.size(); ++i) {
    Optimizer& optimizer = learners_[i].optimizer();
    if (phase_.train.clip_norm) optimizer.clip(*phase_.train.clip_norm, norms[i]);
    optimizer.step(rate);
    optimizer.zero_grad();
  }
}

void StepRunner::after_backward(const StepResult& result) {
  const c10::NoGradGuard without_gradients;
  for (const auto& [term, view] : result.seen) term->after_backward(view);
}

}  // namespace retort::host
