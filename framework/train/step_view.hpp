#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "framework/base/names.hpp"
#include "framework/data/batch.hpp"
#include "framework/train/outputs.hpp"

namespace retort::host {

// The participants that contract 0.2 knows by name.
inline constexpr const char* kStudentName = names::kStudent.data();
inline constexpr const char* kTeacherName = names::kTeacher.data();

/// What one participant gave: logits, and the taps that are bound, in the order of the binding.
struct ParticipantOutputs {
  std::string name;  // what the term calls it (Wanted::as)
  Outputs outputs;
};

/// What a term may see of one step.
struct StepView {
  std::vector<ParticipantOutputs> participants;
  Batch batch;  // on the device; its labels and indices are those of the view that is compared
  at::Tensor progress;  // [] float32
  int64_t epoch = 0;
  int64_t step = 0;

  /// Empty outputs where a participant gave none: a strategy that needs no teacher is handed none.
  const Outputs& of(std::string_view participant) const {
    static const Outputs kNone;
    const auto found = find(participants.begin(), participants.end(), participant);
    return found == participants.end() ? kNone : found->outputs;
  }
  /// Those of a participant, which is put behind the others where it is new.
  Outputs& put_outputs(std::string_view participant) {
    const auto found = find(participants.begin(), participants.end(), participant);
    if (found != participants.end()) return found->outputs;
    return participants.emplace_back(ParticipantOutputs{std::string(participant), {}}).outputs;
  }

 private:
  template <class Iterator>
  static Iterator find(Iterator first, Iterator last, std::string_view name) {
    return std::find_if(first, last, [&](const auto& entry) { return entry.name == name; });
  }
};

}  // namespace retort::host
