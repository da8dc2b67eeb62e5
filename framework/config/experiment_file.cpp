#include "framework/config/experiment_file.hpp"

#include <utility>

#include "framework/config/load_tree.hpp"
#include "framework/config/read_experiment.hpp"
#include "framework/config/trials.hpp"

namespace retort::host {

ExperimentFile::ExperimentFile(const std::filesystem::path& file,
                               const std::vector<std::string>& overrides, Catalog catalog)
    : file_(file),
      tree_(config::load_tree(file, overrides, reading_)),
      catalog_(std::move(catalog)) {}

ExperimentFile::ExperimentFile(std::filesystem::path file, std::optional<config::Node> tree,
                               Diagnostics reading, Catalog catalog)
    : file_(std::move(file)),
      reading_(std::move(reading)),
      tree_(std::move(tree)),
      catalog_(std::move(catalog)) {}

Experiment ExperimentFile::read(const config::Node& tree, Purpose purpose,
                                Diagnostics& diagnostics) const {
  Experiment experiment;
  experiment.file = file_;
  config::Section root(&tree, "", tree.place, diagnostics);
  config::read_experiment(root, catalog_, purpose, experiment);
  return experiment;
}

Experiment ExperimentFile::load(Purpose purpose) const {
  Diagnostics diagnostics = reading_;
  Experiment experiment;
  if (tree_) {
    experiment = read(*tree_, purpose, diagnostics);
    if (experiment.sweep) {
      const auto read_trial = [&](const config::Node& trial) {
        Diagnostics mistakes;
        read(trial, purpose, mistakes);
        return mistakes;
      };
      config::check_trials(*tree_, *experiment.sweep, experiment.seed, diagnostics, read_trial);
    }
  }
  diagnostics.throw_if_any();
  return experiment;
}

Experiment ExperimentFile::load_trial(const std::vector<std::string>& overrides) const {
  Diagnostics diagnostics = reading_;
  Experiment experiment;
  if (tree_) {
    config::Node trial = config::trial_tree(*tree_);
    for (const std::string& text : overrides) config::override_tree(trial, text, diagnostics);
    experiment = read(trial, Purpose::Train, diagnostics);
  }
  diagnostics.throw_if_any();
  return experiment;
}

Experiment load_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides, const Catalog& catalog) {
  return ExperimentFile(file, overrides, catalog).load();
}

}  // namespace retort::host
