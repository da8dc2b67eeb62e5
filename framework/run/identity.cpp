#include "framework/run/identity.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "framework/base/names.hpp"
#include "framework/config/component.hpp"
#include "framework/config/leaves.hpp"
#include "framework/config/resolved.hpp"
#include "framework/config/toml_file.hpp"

namespace retort::host {
namespace {

constexpr std::array<std::string_view, 3> kWithoutResult = {"run.out", "run.tensorboard",
                                                            "run.checkpoint_steps"};

ComponentChoice with_defaults(ComponentChoice choice) {
  for (size_t i = 0; i < choice.options.size(); ++i)
    choice.options[i] = config::make_default(choice.info.options[i]);
  return choice;
}

/// The component's own id is no default: which one was chosen is part of an identity.
ComponentChoice without_id(ComponentChoice choice) {
  choice = with_defaults(std::move(choice));
  choice.info.id.clear();
  return choice;
}

}  // namespace

Settings read_settings(const std::string& toml) {
  Settings settings;
  Diagnostics mistakes;
  const auto tree = config::parse_toml(toml, "experiment", mistakes);
  if (!tree) return settings;
  for (const config::Leaf& leaf : config::find_leaves(*tree)) settings[leaf.key] = leaf.value;
  return settings;
}

Settings make_default_settings(const Experiment& experiment) {
  Experiment defaults;
  defaults.data.dataset = without_id(experiment.data.dataset);
  const auto make_usual = [](const std::vector<NetworkConfig>& networks) {
    std::vector<NetworkConfig> usual;
    for (const NetworkConfig& given : networks) {
      NetworkConfig& network = usual.emplace_back();
      network.model = without_id(given.model);
    }
    return usual;
  };
  defaults.students = make_usual(experiment.students);
  defaults.teachers = make_usual(experiment.teachers);
  defaults.phases.resize(experiment.phases.size());
  if (defaults.students.size() == 1) defaults.students.front().name = std::string(names::kStudent);
  if (defaults.teachers.size() == 1) defaults.teachers.front().name = std::string(names::kTeacher);
  for (const TransferConfig& given : experiment.transfers) {
    TransferConfig transfer;
    transfer.strategy = without_id(given.strategy);
    defaults.transfers.push_back(std::move(transfer));
  }
  return read_settings(to_toml(defaults));
}

Settings make_identity(const Settings& settings, const Settings& defaults) {
  Settings identity;
  for (const auto& [key, value] : settings) {
    if (std::find(kWithoutResult.begin(), kWithoutResult.end(), key) != kWithoutResult.end())
      continue;
    const auto usual = defaults.find(key);
    if (usual == defaults.end() || usual->second != value) identity.emplace(key, value);
  }
  return identity;
}

std::string write_identity(const Settings& identity) {
  std::string text = "identity 2\n";
  for (const auto& [key, value] : identity) text += key + " = " + value + "\n";
  return text;
}

Settings make_recipe(const Experiment& experiment) {
  Experiment recipe = experiment;
  recipe.name = "recipe";
  recipe.seeds.clear();
  recipe.sweep.reset();
  recipe.run = {};
  recipe.run.precision = experiment.run.precision;
  recipe.run.channels_last = experiment.run.channels_last;
  recipe.run.deterministic = experiment.run.deterministic;
  recipe.data.dataset = with_defaults(experiment.data.dataset);
  for (auto* networks : {&recipe.teachers, &recipe.students})
    for (NetworkConfig& network : *networks) {
      if (network.weights) network.weights = "given";
      if (!network.program.file.empty()) network.program.file = "given";
    }
  return read_settings(to_toml(recipe));
}

}  // namespace retort::host
