#include "framework/train/participant.hpp"

#include <algorithm>
#include <stdexcept>

namespace retort::host {

size_t Participant::find_view(std::string_view view) const {
  if (view.empty()) return 0;
  const auto found = std::find_if(views.begin(), views.end(),
                                  [&](const ParticipantView& its) { return its.name == view; });
  if (found == views.end())
    throw std::logic_error(name + " has no view \"" + std::string(view) + "\"");
  return static_cast<size_t>(found - views.begin());
}

Network& Participant::network() const {
  if (Network* live = outputs->network()) return *live;
  throw std::logic_error(name + " is no network that runs");
}

}  // namespace retort::host
