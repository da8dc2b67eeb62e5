#include "framework/config/resolved.hpp"

#include "framework/config/keys/baseline.hpp"
#include "framework/config/keys/names.hpp"
#include "framework/config/keys/seeds.hpp"

namespace retort::host {

std::string to_toml(const Experiment& experiment) {
  std::string text = config::write_names(experiment) + config::write_seeds(experiment) +
                     config::write_data(experiment.data);
  text += config::write_networks(config::NetworkRole::Teacher, experiment.teachers) +
          config::write_networks(config::NetworkRole::Student, experiment.students) +
          config::write_task(experiment.task) + config::write_transfers(experiment) +
          config::write_phases(experiment.phases);
  text += "\n[train]\n" + config::write_train(experiment.train) +
          config::write_run(experiment.run) + config::write_baseline(experiment);
  return text + (experiment.sweep ? config::write_sweep(*experiment.sweep) : "");
}

}  // namespace retort::host
