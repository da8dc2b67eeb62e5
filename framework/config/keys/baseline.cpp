#include "framework/config/keys/baseline.hpp"

#include "framework/config/experiment.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {

void read_baseline(Section section, Experiment& experiment) {
  section.boolean("student_alone", experiment.student_alone,
                  "trains the student without transfers too");
  section.finish();
}

std::string write_baseline(const Experiment& experiment) {
  return "\n[baseline]\n" + write_line("student_alone", write_value(experiment.student_alone));
}

}  // namespace retort::host::config
