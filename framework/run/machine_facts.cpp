#include "framework/run/machine_facts.hpp"

#include <ATen/Version.h>

#include "framework/io/hash.hpp"
#include "framework/report/plugin_hash.hpp"
#include "framework/train/device.hpp"

namespace retort::host {

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
  add(experiment.student.model);
  if (experiment.teacher) add(experiment.teacher->model);
  for (const TransferConfig& transfer : experiment.transfers) add(transfer.strategy);
  const auto add_weights = [&](const char* name, const NetworkConfig& network) {
    if (network.weights) facts[name] = sha256_hex_of_file(*network.weights);
  };
  if (experiment.teacher) add_weights("teacher.weights", *experiment.teacher);
  add_weights("student.weights", experiment.student);
  return facts;
}

std::string changes_between(const MachineFacts& was, const MachineFacts& is) {
  std::string changes;
  for (const auto& [name, value] : is) {
    const auto before = was.find(name);
    if (before != was.end() && before->second == value) continue;
    changes += (changes.empty() ? "" : "; ") + name + " was " +
               (before == was.end() ? "nothing" : before->second) + " and is " + value;
  }
  return changes;
}

}  // namespace retort::host
