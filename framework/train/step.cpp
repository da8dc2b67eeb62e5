#include "framework/train/step.hpp"

#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "framework/train/backward.hpp"
#include "framework/train/device.hpp"

namespace retort::host {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The position of a tap among those of a participant, where it is put if it is new.
size_t place_tap(std::vector<std::string>& taps, const std::string& tap) {
  const auto found = std::find(taps.begin(), taps.end(), tap);
  const auto place = static_cast<size_t>(found - taps.begin());
  if (found == taps.end()) taps.push_back(tap);
  return place;
}

}  // namespace

void StepClock::start() { last_ = seconds_now(); }

void StepClock::mark(StepPart part) {
  if (timing_ == StepTiming::Done) synchronize(device_);
  const double now = seconds_now();
  times_[static_cast<size_t>(part)] += now - last_;
  last_ = now;
}

StepRunner::StepRunner(const Phase& phase, Optimizer& optimizer, StepClock& clock)
    : phase_(phase),
      optimizer_(optimizer),
      clock_(clock),
      device_(phase.student().placement().device),
      learner_(static_cast<size_t>(&phase.learner() - phase.participants.data())),
      taps_(phase.participants.size()) {
  for (const auto& term : phase.terms) add_slots(*term);
}

void StepRunner::add_slots(const Term& term) {
  std::vector<Slot> slots;
  for (const Wanted& wanted : term.wanted()) {
    const Participant* participant = phase_.find(wanted.participant);
    if (participant == nullptr) continue;
    Slot slot{static_cast<size_t>(participant - phase_.participants.data()), {}};
    for (const std::string& tap : wanted.taps)
      slot.features.push_back(place_tap(taps_[slot.participant], tap));
    slots.push_back(std::move(slot));
  }
  slots_.push_back(std::move(slots));
}

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

std::vector<bool> StepRunner::find_wanted(const ActiveTerms& active) const {
  std::vector<bool> wanted(phase_.participants.size(), false);
  wanted[learner_] = true;
  for (const auto& [term, weight] : active)
    for (const Slot& slot : slots_[term]) wanted[slot.participant] = true;
  return wanted;
}

/// The batch on the device, and what those who are wanted make of it.
StepView StepRunner::make_view(const Batch& batch, const StepNumbers& numbers,
                               const std::vector<bool>& wanted) {
  std::vector<std::string> fields = {kLabelField, kIndexField};
  if (!batch.addressable()) fields.emplace_back(kMixedLabelField);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::string& field = phase_.participants[i].outputs->field();
    const bool is_new = std::find(fields.begin(), fields.end(), field) == fields.end();
    if (wanted[i] && is_new) fields.push_back(field);
  }
  StepView view;
  view.batch = batch.to(device_, fields);
  view.epoch = numbers.epoch;
  view.step = numbers.step;
  view.progress =
      at::full({}, numbers.progress, at::TensorOptions().dtype(at::kFloat).device(device_));
  clock_.mark(StepPart::Data);
  for (size_t i = 0; i < wanted.size(); ++i)
    view.participants.push_back({phase_.participants[i].name, {}});
  const auto pass = [&](size_t i, PassMode mode) {
    view.participants[i].outputs =
        phase_.participants[i].outputs->make_outputs(view.batch, taps_[i], mode, numbers.step);
  };
  bool any = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i] || i == learner_) continue;
    const c10::NoGradGuard without_gradients;
    pass(i, PassMode::Evaluate);
    any = true;
  }
  if (any) clock_.mark(StepPart::Teacher);
  pass(learner_, PassMode::Train);
  clock_.mark(StepPart::Forward);
  return view;
}

/// What one term is handed of all.
StepView StepRunner::select(const StepView& all, size_t term) const {
  StepView own;
  own.batch = all.batch;
  own.progress = all.progress;
  own.epoch = all.epoch;
  own.step = all.step;
  for (const Slot& slot : slots_[term]) {
    const ParticipantOutputs& from = all.participants[slot.participant];
    ParticipantOutputs to{from.name, {from.outputs.logits, {}}};
    for (const size_t feature : slot.features)
      to.outputs.features.push_back(from.outputs.features[feature]);
    own.participants.push_back(std::move(to));
  }
  return own;
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

StepResult StepRunner::run(const Batch& batch, const StepNumbers& numbers) {
  const ActiveTerms active = find_active_terms(numbers.epoch_position);
  LossGraph graph;
  graph.phase = phase_.name;
  graph.step = numbers.step;
  graph.first_node = next_graph_node();
  const StepView all = make_view(batch, numbers, find_wanted(active));
  graph.model = &phase_.student().component();
  graph.student = &all.participants[learner_].outputs;

  StepResult result;
  at::Tensor total;
  for (const auto& [position, weight] : active) {
    Term& term = *phase_.terms[position];
    StepView own = select(all, position);
    if (ParameterSet* parameters = term.parameters()) parameters->begin_pass(false);
    const at::Tensor loss = term.loss(own);
    warn_of_lost_path(term, loss, numbers);
    result.terms.add(term.name(), loss);
    total = total.defined() ? total.add(loss.mul(weight)) : loss.mul(weight);
    if (term.component() != nullptr) graph.terms.emplace_back(term.component(), loss);
    result.seen.emplace_back(&term, std::move(own));
  }
  result.terms.add(std::string(names::kLoss),
                   total);  // last: a term that is not finite is told before the sum
  clock_.mark(StepPart::Loss);
  // The mean over the group: its batches are of one size.
  const auto group = static_cast<double>(numbers.group);
  run_backward(numbers.group > 1 ? total.div(group) : total, graph);
  clock_.mark(StepPart::Backward);
  return result;
}

void StepRunner::update(double rate, const at::Tensor& norm) {
  if (phase_.train.clip_norm) optimizer_.clip(*phase_.train.clip_norm, norm);
  optimizer_.step(rate);
  optimizer_.zero_grad();
}

void StepRunner::after_backward(const StepResult& result) {
  const c10::NoGradGuard without_gradients;
  for (const auto& [term, view] : result.seen) term->after_backward(view);
}

}  // namespace retort::host
