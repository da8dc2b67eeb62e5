#include "framework/run/trial_passes.hpp"

#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>

#include <optional>

#include "framework/run/trial_loss.hpp"
#include "framework/train/step.hpp"

namespace retort::host {
namespace {

Outputs make_detached(const Outputs& outputs) {
  Outputs detached{outputs.logits.detach(), {}};
  for (const at::Tensor& feature : outputs.features) detached.features.push_back(feature.detach());
  return detached;
}

/// The next `count` features of all.
Outputs make_part(const Outputs& all, size_t first, size_t count) {
  Outputs part;
  part.logits = all.logits;
  const auto begin = all.features.begin() + static_cast<std::ptrdiff_t>(first);
  if (!all.features.empty())
    part.features.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  return part;
}

}  // namespace

TrialPasses::TrialPasses(const Phase& phase) : phase_(phase) {
  for (const Participant* learner : phase.learners()) place_pass(*learner, "");
  for (const auto& term : phase.terms) {
    std::vector<Slot> slots = place_slots(*term);
    if (dynamic_cast<const Transfer*>(term.get()) != nullptr) slots_.push_back(std::move(slots));
  }
}

/// The position of a pass, which is put behind the others if it is new.
size_t TrialPasses::place_pass(const Participant& participant, const std::string& view) {
  const ParticipantView* wanted = &participant.views[participant.find_view(view)];
  for (size_t i = 0; i < passes_.size(); ++i)
    if (passes_[i].view == wanted) return i;
  passes_.push_back({&participant, wanted});
  return passes_.size() - 1;
}

std::vector<TrialPasses::Slot> TrialPasses::place_slots(const Term& term) {
  const ComponentInfo* strategy = term.component();
  std::vector<Slot> slots;
  for (const Wanted& wanted : term.wanted()) {
    const Participant* participant = phase_.find(wanted.participant);
    if (participant == nullptr) continue;
    const size_t place = place_pass(*participant, wanted.view);
    Pass& pass = passes_[place];
    slots.push_back({wanted.as, place, pass.taps.size(), wanted.taps.size()});
    pass.taps.insert(pass.taps.end(), wanted.taps.begin(), wanted.taps.end());
    pass.reads_logits |= strategy == nullptr || reads(*strategy, RETORT_NEED_LOGITS);
  }
  return slots;
}

void TrialPasses::run(StepView& step) {
  const Sampler sampler = make_sampler(phase_);
  Loader loader(*phase_.data, sampler, make_views(phase_), phase_.seed, phase_.mix);
  loader.start_epoch(0);
  const std::optional<Batch> batch = loader.next();
  if (!batch) return;
  const at::Device device = phase_.placement().device;
  std::vector<std::string> fields;
  for (const Field& field : batch->fields()) fields.push_back(field.name);
  step.batch = batch->to(device, fields);
  step.progress = at::full({}, 0.0, at::TensorOptions().dtype(at::kFloat).device(device));
  for (Pass& pass : passes_) {
    const Participant& participant = *pass.participant;
    const c10::AutoGradMode gradients(participant.learns);
    pass.outputs = participant.outputs->make_outputs(
        step.batch, pass.view->field, pass.taps,
        participant.learns ? PassMode::Train : participant.teaching, 0);
  }
}

Outputs TrialPasses::list(const Participant& learner, Logits logits) const {
  Outputs all;
  for (const Pass& pass : passes_) {
    if (pass.participant != &learner) continue;
    all.features.insert(all.features.end(), pass.outputs.features.begin(),
                        pass.outputs.features.end());
    if (pass.reads_logits || logits == Logits::All) all.features.push_back(pass.outputs.logits);
  }
  return all;
}

Outputs TrialPasses::list_given(const Participant& learner) const {
  return list(learner, Logits::All);
}

Outputs TrialPasses::list_read(const Participant& learner) const {
  return list(learner, Logits::Read);
}

StepView TrialPasses::make_view(const StepView& common, size_t transfer) const {
  StepView step = common;
  const std::vector<Slot>& slots = slots_[transfer];
  for (const Slot& slot : slots) {
    const Pass& pass = passes_[slot.pass];
    const Outputs own = make_part(pass.outputs, slot.first, slot.count);
    const bool learns = pass.participant->learns && &slot == slots.data();
    step.put_outputs(slot.as) = learns ? make_leaves(own) : make_detached(own);
  }
  const int64_t times = passes_[slots.front().pass].view->maker->times();
  if (times > 1) step.batch = repeat_labels(step.batch, times);
  return step;
}

}  // namespace retort::host
