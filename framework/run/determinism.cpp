#include "framework/run/determinism.hpp"

#include <string>

#include "framework/base/error.hpp"
#include "framework/run/phase_networks.hpp"
#include "framework/train/device.hpp"
#include "framework/train/loop.hpp"

namespace retort::host {
namespace {

void try_step(const Phase& phase) {
  try {
    Loop(phase).run_steps(1);
  } catch (const std::exception& failure) {
    const std::string refused = operator_without_deterministic_algorithm(failure);
    if (refused.empty()) throw;
    throw ConfigError("run.deterministic = true, but " + refused + ", which the phase \"" +
                      phase.name +
                      "\" needs, has no deterministic algorithm on a GPU; take another model or "
                      "strategy, device = \"cpu\", or leave run.deterministic out");
  }
}

}  // namespace

void check_determinism(const Session& session) {
  const Experiment& experiment = session.experiment();
  if (!experiment.run.deterministic || !session.placement().device.is_cuda()) return;
  Networks networks;
  for (const PhaseSpec& spec : phases_of(experiment)) {
    // Teachers that took no step, too.
    for (const std::string& name : spec.participants)
      networks.by_name[name] = session.make_network(name);
    renew_students(session, spec, networks);
    try_step(make_phase(session, spec, networks));
  }
}

}  // namespace retort::host
