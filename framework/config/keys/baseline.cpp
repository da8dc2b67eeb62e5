#include "framework/config/keys/baseline.hpp"

#include <algorithm>

#include "framework/config/experiment.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {

void read_baseline(Section section, Experiment& experiment) {
  const auto& phases = experiment.phases;
  const bool has_task =
      phases.empty() || std::any_of(phases.begin(), phases.end(),
                                    [](const PhaseConfig& phase) { return phase.task; });
  experiment.student_alone = phases.size() < 2 && has_task;
  const Node* node = section.boolean("student_alone", experiment.student_alone,
                                     "trains each student without transfers too; of several phases "
                                     "only where it is asked for");
  if (node != nullptr && experiment.student_alone && !has_task) {
    section.diagnostics().add(
        node->place, section.key_path("student_alone") + " = true",
        "no [[phase]] has \"task\" among its terms, and a student alone would "
        "learn nothing; add it to one, or take this out");
  }
  section.finish();
}

std::string write_baseline(const Experiment& experiment) {
  return "\n[baseline]\n" + write_line("student_alone", write_value(experiment.student_alone));
}

}  // namespace retort::host::config
