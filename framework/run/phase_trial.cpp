#include "framework/run/phase_trial.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "framework/run/phase_networks.hpp"
#include "framework/run/term_trial.hpp"

namespace retort::host {
namespace {

bool is_trained(const std::vector<PhaseSpec>& phases, size_t position,
                const std::string& transfer) {
  const auto trains = [&](const PhaseSpec& phase) {
    return std::find(phase.modules.begin(), phase.modules.end(), transfer) != phase.modules.end();
  };
  return std::any_of(phases.begin(), phases.begin() + static_cast<std::ptrdiff_t>(position) + 1,
                     trains);
}

bool has_parameters(Transfer& transfer) {
  const auto& all = transfer.parameters()->all();
  return std::any_of(all.begin(), all.end(),
                     [](const Parameter& parameter) { return parameter.trained; });
}

}  // namespace

std::vector<std::string> try_phase(const Session& session, const std::vector<PhaseSpec>& phases,
                                   size_t position, Networks& networks) {
  const Phase phase = make_phase(session, phases[position], networks);
  std::vector<std::string> warnings = try_terms(phase);
  for (Transfer* transfer : phase.transfers()) {
    if (!has_parameters(*transfer) || is_trained(phases, position, transfer->name())) continue;
    warnings.push_back(
        fmt::format("{} \"{}\": has parameters of its own, which stay as they start: phase \"{}\" "
                    "does not learn "
                    "them; add \"{}\" to its learn",
                    transfer->config().key, transfer->name(), phase.name, transfer->name()));
  }
  return warnings;
}

}  // namespace retort::host
