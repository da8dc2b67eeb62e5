#include "framework/config/schema.hpp"

#include <string>
#include <utility>

#include "framework/config/read_experiment.hpp"

namespace retort::host {
namespace {

/// Every key that the readers ask for, those kept for later included.
config::Schema read_schema() {
  config::Schema schema;
  Diagnostics unused;
  Experiment experiment;
  const config::Node empty;
  config::Section root(&empty, "", {}, unused, &schema);
  config::read_experiment(root, Catalog::of({}), Purpose::Train, experiment);
  return schema;
}

}  // namespace

std::vector<config::KeyInfo> experiment_keys() {
  std::vector<config::KeyInfo> keys = read_schema();
  std::erase_if(keys, [](const config::KeyInfo& key) { return key.reserved; });
  return keys;
}

ReservedNames reserved_option_names() {
  const std::pair<std::string, retort_kind> sections[] = {{"data.", RETORT_KIND_DATASET},
                                                          {"teacher.", RETORT_KIND_MODEL},
                                                          {"student.", RETORT_KIND_MODEL},
                                                          {"transfer[0].", RETORT_KIND_STRATEGY}};
  ReservedNames reserved;
  for (const config::KeyInfo& key : read_schema()) {
    for (const auto& [prefix, kind] : sections) {
      if (!key.path.starts_with(prefix)) continue;
      const std::string name = key.path.substr(prefix.size());
      reserved[kind].insert(name.substr(0, name.find('.')));
    }
  }
  return reserved;
}

}  // namespace retort::host
