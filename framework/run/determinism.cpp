#include "framework/run/determinism.hpp"

#include <string>

#include "framework/base/error.hpp"
#include "framework/train/device.hpp"

namespace retort::host {
namespace {

void try_step(const Phase& phase) {
  try {
    Trainer(phase).run_steps(1);
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
  std::unique_ptr<Network> teacher;
  if (experiment.teacher) {
    if (!experiment.teacher->weights) {
      const auto learner = session.make_teacher();
      try_step(session.plan("teacher", *learner));
    }
    teacher = session.make_teacher();
    teacher->parameters().freeze();
  }
  const auto student = session.make_student();
  if (experiment.transfers.empty()) return try_step(session.plan("alone", *student));
  const auto transfers = session.make_transfers();
  try_step(session.distil_plan(*student, teacher.get(), transfers));
}

}  // namespace retort::host
