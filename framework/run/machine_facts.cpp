#include "framework/run/machine_facts.hpp"

#include <ATen/Version.h>

#include <algorithm>

#include "framework/io/hash.hpp"
#include "framework/report/plugin_hash.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/run/identity.hpp"
#include "framework/train/device.hpp"

namespace retort::host {
namespace {

const std::string kRecipePrefix = std::string(RunLayout::kExperiment) + " ";

bool is_recipe(const MachineFacts::value_type& fact) {
  return fact.first.starts_with(kRecipePrefix);
}

}  // namespace

MachineFacts machine_facts(const Session& session) {
  const Experiment& experiment = session.experiment();
  MachineFacts facts = {{"device", device_name(session.placement().device)},
                        {"threads", std::to_string(session.threads())},
                        {"processor features", at::get_cpu_capability()},
                        {"LibTorch", RETORT_TORCH_VERSION},
                        {"retort", RETORT_VERSION},
                        {"data", content_hash(session.data())}};
  const auto add = [&](const ComponentChoice& choice) {
    facts["plugin " + choice.info.id] = hash_of_plugin(choice.info);
  };
  add(experiment.data.dataset);
  for (const auto* networks : {&experiment.students, &experiment.teachers})
    for (const NetworkConfig& network : *networks)
      if (network.program.file.empty()) add(network.model);
  for (const TransferConfig& transfer : experiment.transfers) add(transfer.strategy);
  for (const auto* networks : {&experiment.students, &experiment.teachers}) {
    for (const NetworkConfig& network : *networks) {
      if (network.weights) facts[network.name + ".weights"] = sha256_hex_of_file(*network.weights);
      if (!network.program.file.empty())
        facts[network.name + ".file"] = sha256_hex_of_file(network.program.file);
    }
  }
  for (const auto& [key, value] : make_recipe(experiment)) facts[kRecipePrefix + key] = value;
  return facts;
}

std::string list_phases(const MachineFacts& facts) {
  std::string text;
  for (size_t i = 0;; ++i) {
    const std::string key = kRecipePrefix + "phase[" + std::to_string(i) + "].";
    const auto find = [&](const char* name) {
      const auto found = facts.find(key + name);
      return found == facts.end() ? std::string() : found->second;
    };
    if (find("name").empty()) return text.empty() ? "the usual ones" : text;
    text += (text.empty() ? "" : ", ") + find("name") + " of " + find("terms") + ", learns " +
            find("learn");
  }
}

bool hold_experiment(const MachineFacts& facts) {
  return std::any_of(facts.begin(), facts.end(), is_recipe);
}

std::string changes_between(const MachineFacts& was, const MachineFacts& is) {
  const auto find = [](const MachineFacts& facts, const std::string& name) {
    const auto found = facts.find(name);
    return found == facts.end() ? "nothing" : found->second;
  };
  MachineFacts names = is;
  if (!hold_experiment(was)) std::erase_if(names, is_recipe);
  for (const auto& fact : was)
    if (is_recipe(fact)) names.insert(fact);
  std::string changes;
  for (const auto& [name, unused] : names) {
    const std::string before = find(was, name), now = find(is, name);
    if (before == now) continue;
    changes += (changes.empty() ? "" : "; ") + name + " was " + before + " and is " + now;
  }
  return changes;
}

}  // namespace retort::host
