#include "framework/run/recipe.hpp"

#include <stdexcept>

#include "framework/config/component.hpp"
#include "framework/config/leaves.hpp"
#include "framework/config/resolved.hpp"
#include "framework/config/toml_file.hpp"

namespace retort::host {

std::map<std::string, std::string> make_recipe(const Experiment& experiment) {
  Experiment recipe = experiment;
  recipe.name = "recipe";
  recipe.seeds.clear();
  recipe.sweep.reset();
  recipe.run = {};
  recipe.run.precision = experiment.run.precision;
  recipe.run.channels_last = experiment.run.channels_last;
  recipe.run.deterministic = experiment.run.deterministic;
  ComponentChoice& dataset = recipe.data.dataset;
  for (size_t i = 0; i < dataset.options.size(); ++i)
    dataset.options[i] = config::make_default(dataset.info.options[i]);
  if (recipe.teacher && recipe.teacher->weights) recipe.teacher->weights = "given";
  if (recipe.student.weights) recipe.student.weights = "given";

  Diagnostics mistakes;
  const auto tree = config::parse_toml(to_toml(recipe), "recipe", mistakes);
  if (!tree) throw std::logic_error("a resolved experiment is no TOML");
  std::map<std::string, std::string> values;
  for (const config::Leaf& leaf : config::find_leaves(*tree)) values[leaf.key] = leaf.value;
  return values;
}

}  // namespace retort::host
