#include "framework/config/keys/seeds.hpp"

#include <algorithm>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {

void read_seeds(Section& root, Experiment& experiment) {
  int64_t seed = 1;
  root.integer("seed", Range::at_least(0), seed, "of start values, order, views and draws");
  experiment.seed = static_cast<uint64_t>(seed);
  const Node* node = root.take("seeds", "list of integers", ">= 0, distinct", "",
                               "instead of seed: one run each, then mean and deviation");
  if (node == nullptr) return;
  Diagnostics& diagnostics = root.diagnostics();
  if (!node->is(Node::Kind::List) || node->items.empty()) {
    diagnostics.add(node->place, subject("seeds", *node), "must be a list, as in [1, 2, 3]");
    return;
  }
  for (size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    const std::string path = entry_path("seeds", i);
    if (!read_integer(item, path, Range::at_least(0), seed, "", diagnostics)) continue;
    auto& seeds = experiment.seeds;
    if (std::find(seeds.begin(), seeds.end(), static_cast<uint64_t>(seed)) != seeds.end()) {
      diagnostics.add(item.place, subject(path, item), "given twice; each run needs its own");
    }
    seeds.push_back(static_cast<uint64_t>(seed));
  }
  if (!experiment.seeds.empty()) experiment.seed = experiment.seeds.front();
  // The seed of a file beneath, or one in the file where the command line gives seeds, is replaced.
  const Node* single = root.node()->find("seed");
  if (single != nullptr && single->place.file == node->place.file) {
    diagnostics.add(single->place, subject("seed", *single), "there are seeds too; remove one");
  }
}

std::string write_seeds(const Experiment& experiment) {
  if (experiment.seeds.empty()) return write_line("seed", std::to_string(experiment.seed));
  std::vector<std::string> seeds;
  for (const uint64_t seed : experiment.seeds) seeds.push_back(std::to_string(seed));
  return write_line("seeds", write_brackets(seeds));
}

}  // namespace retort::host::config
