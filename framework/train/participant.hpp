#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/keys/view.hpp"
#include "framework/config/place.hpp"
#include "framework/data/batch.hpp"
#include "framework/data/views.hpp"
#include "framework/train/output_source.hpp"

namespace retort::host {

/// A view as a participant sees it: with the participant's normalisation.
struct ParticipantView {
  std::string name = kDefaultView;
  std::string field = kImageField;   // of the batches; equal views of two participants share one
  const ViewMaker* maker = nullptr;  // of that field; the first view's makes what is evaluated, too
};

/// Who takes part in a phase. What it is called is all that tells a teacher from a student.
struct Participant {
  std::string name;
  std::shared_ptr<OutputSource> outputs;
  // Whether its network's parameters are an optimizer's, those of them that require a gradient: then
  // its passes are of training and record gradients. The outputs of the others have none.
  bool learns = false;
  std::vector<ParticipantView> views;      // at least one
  PassMode teaching = PassMode::Evaluate;  // how one runs that does not learn
  std::string up_to = {};                  // the tap that one learns up to; "": it learns whole
  Place place = {};                        // of that in the file

  /// The position of a view of that name, "" for the first.
  /// Throws: std::logic_error where there is none.
  size_t find_view(std::string_view view) const;
  /// What its network is evaluated on.
  const ViewMaker& eval_views() const { return *views.front().maker; }
  /// Throws: std::logic_error for stored outputs.
  Network& network() const;
};

}  // namespace retort::host
