#include "framework/config/experiment.hpp"

#include <algorithm>

namespace retort::host {

const NetworkConfig* Experiment::find_network(std::string_view network) const {
  for (const auto* networks : {&teachers, &students}) {
    const auto found =
        std::find_if(networks->begin(), networks->end(),
                     [&](const NetworkConfig& config) { return config.name == network; });
    if (found != networks->end()) return &*found;
  }
  return nullptr;
}

}  // namespace retort::host
