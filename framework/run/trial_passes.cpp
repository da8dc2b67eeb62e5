#include "framework/run/trial_passes.hpp"

#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>

#include <optional>

#include "framework/run/trial_loss.hpp"

namespace retort::host {
TrialPasses::TrialPasses(const Phase& phase) : phase_(phase), passes_(phase) {
  for (size_t i = 0; i < phase.terms.size(); ++i)
    if (dynamic_cast<const Transfer*>(phase.terms[i].get()) != nullptr) transfers_.push_back(i);
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
  for (const Pass& pass : passes_.all()) {
    const Participant& participant = *pass.participant;
    const c10::AutoGradMode gradients(participant.learns);
    outputs_.push_back(participant.outputs->make_outputs(
        step.batch, pass.seen(), pass.taps,
        participant.learns ? PassMode::Train : participant.teaching, 0));
  }
}

Outputs TrialPasses::list(const Participant& learner, Logits logits) const {
  Outputs all;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Pass& pass = passes_.all()[i];
    if (pass.participant != &learner) continue;
    const Outputs& its = outputs_[i];
    all.features.insert(all.features.end(), its.features.begin(), its.features.end());
    if (pass.reads_logits || logits == Logits::All) all.features.push_back(its.logits);
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
  StepView step = passes_.make_view(common, outputs_, transfers_[transfer]);
  step.put_outputs(kStudentName) = make_leaves(step.of(kStudentName));
  return step;
}

}  // namespace retort::host
