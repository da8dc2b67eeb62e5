#include "framework/train/passes.hpp"

#include <algorithm>
#include <utility>

namespace retort::host {
namespace {

/// The position of a tap among those of a pass, where it is put if it is new.
size_t place_tap(std::vector<std::string>& taps, const std::string& tap) {
  const auto found = std::find(taps.begin(), taps.end(), tap);
  const auto position = static_cast<size_t>(found - taps.begin());
  if (found == taps.end()) taps.push_back(tap);
  return position;
}

/// A batch's labels and indices as they are of a view with `times` copies of each sample; no other
/// fields.
Batch repeat_labels(const Batch& batch, int64_t times) {
  Batch repeated;
  repeated.share = batch.share;
  for (const char* field : {kLabelField, kIndexField, kMixedLabelField}) {
    const at::Tensor* of_samples = batch.find(field);
    if (of_samples != nullptr) repeated.put(field, of_samples->repeat_interleave(times));
  }
  return repeated;
}

}  // namespace

SeenField Pass::seen() const {
  const bool is_first = view == &participant->views.front();
  return {view->field, is_first ? "" : view->name};
}

Passes::Passes(const Phase& phase) {
  for (const Participant* learner : phase.learners()) place(*learner, learner->views.front());
  for (const auto& term : phase.terms) slots_.push_back(place_slots(phase, *term));
}

/// The position of a pass, which is put behind the others if it is new.
size_t Passes::place(const Participant& participant, const ParticipantView& view) {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Pass& pass) { return pass.view == &view; });
  if (found != all_.end()) return static_cast<size_t>(found - all_.begin());
  all_.push_back({&participant, &view});
  return all_.size() - 1;
}

std::vector<Passes::Slot> Passes::place_slots(const Phase& phase, const Term& term) {
  const ComponentInfo* strategy = term.component();
  std::vector<Slot> slots;
  for (const Wanted& wanted : term.wanted()) {
    const Participant* participant = phase.find(wanted.participant);
    if (participant == nullptr) continue;
    const ParticipantView& view = participant->views[participant->find_view(wanted.view)];
    Slot slot{wanted.as, place(*participant, view), {}, false};
    slot.detached = participant->learns && !slots.empty();  // the first is the term's own learner
    Pass& pass = all_[slot.pass];
    for (const std::string& tap : wanted.taps) slot.features.push_back(place_tap(pass.taps, tap));
    pass.reads_logits |= strategy == nullptr || reads(*strategy, RETORT_NEED_LOGITS);
    slots.push_back(std::move(slot));
  }
  return slots;
}

std::vector<size_t> Passes::find_wanted(size_t term) const {
  std::vector<size_t> wanted;
  for (const Slot& slot : slots_[term]) wanted.push_back(slot.pass);
  return wanted;
}

StepView Passes::make_view(const StepView& common, const std::vector<Outputs>& outputs,
                           size_t term) const {
  StepView own = common;
  for (const Slot& slot : slots_[term]) {
    const Outputs& from = outputs[slot.pass];
    const auto hand = [&](const at::Tensor& tensor) {
      return slot.detached ? tensor.detach() : tensor;
    };
    ParticipantOutputs to{slot.as, {hand(from.logits), {}}};
    for (const size_t feature : slot.features)
      to.outputs.features.push_back(hand(from.features[feature]));
    own.participants.push_back(std::move(to));
  }
  const int64_t times = all_[slots_[term].front().pass].view->maker->times();
  if (times > 1) own.batch = repeat_labels(own.batch, times);
  return own;
}

std::vector<View> make_views(const Phase& phase) {
  std::vector<View> views;
  const Passes passes(phase);
  for (const Pass& pass : passes.all()) {
    const bool known = std::any_of(views.begin(), views.end(), [&](const View& view) {
      return view.field == pass.view->field;
    });
    if (!known) views.push_back({pass.view->field, pass.view->maker});
  }
  return views;
}

}  // namespace retort::host
