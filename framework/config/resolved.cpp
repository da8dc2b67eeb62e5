#include "framework/config/resolved.hpp"

#include "framework/config/keys/baseline.hpp"
#include "framework/config/keys/names.hpp"
#include "framework/config/keys/seeds.hpp"

namespace retort::host {

std::string to_toml(const Experiment& experiment) {
  std::string text = config::write_names(experiment) + config::write_seeds(experiment) +
                     config::write_data(experiment.data);
  if (experiment.teacher)
    text += config::write_network(config::NetworkRole::Teacher, *experiment.teacher);
  text += config::write_network(config::NetworkRole::Student, experiment.student) +
          config::write_task(experiment.task);
  for (const TransferConfig& transfer : experiment.transfers) {
    text += config::write_transfer(transfer);
  }
  text += "\n[train]\n" + config::write_train(experiment.train) +
          config::write_run(experiment.run) + config::write_baseline(experiment);
  return text + (experiment.sweep ? config::write_sweep(*experiment.sweep) : "");
}

}  // namespace retort::host
