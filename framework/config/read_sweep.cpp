#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "framework/config/sections.hpp"
#include "framework/config/trials.hpp"

namespace retort::host::config {
namespace {

using SweepKind = SweepConfig::Kind;

constexpr double kLargestInteger = 0x1p53;  // beyond it a double skips some

/// { min = 1e-3, max = 1e-1, log = true }
void read_range(Section range, SweepKey& key) {
  const size_t mistakes = range.diagnostics().count();
  double min = 0;
  double max = 0;
  for (const auto& [name, bound] : {std::pair("min", &min), std::pair("max", &max)}) {
    if (range.node()->find(name) == nullptr) {
      range.diagnostics().add(range.place(), range.key_path(name),
                              "missing; write { min = 0.001, max = 0.1, log = true }");
    }
    range.real(name, Range::any(), *bound);
  }
  range.boolean("log", key.log);
  range.boolean("integer", key.integer);
  range.finish();
  if (range.diagnostics().count() != mistakes) return;
  std::string wrong;
  if (min >= max) wrong = "min must be below max";
  if (key.log && min <= 0) wrong = "log needs min > 0";
  if (key.integer && (min != std::floor(min) || max != std::floor(max))) {
    wrong = "integer needs whole min and max";
  } else if (key.integer && std::max(std::abs(min), std::abs(max)) > kLargestInteger) {
    wrong = "integer needs min and max within 2^53";
  }
  if (!wrong.empty()) {
    range.diagnostics().add(range.place(), range.path(),
                            wrong + "; found " + real_text(min) + " and " + real_text(max));
  }
  key.min = min;
  key.max = max;
}

void read_key(const Node& node, const std::string& path, SweepKind kind, Diagnostics& diagnostics,
              SweepConfig& sweep) {
  SweepKey key;
  key.key = node.key;
  const bool table = node.is(Node::Kind::Table);
  if (node.key.starts_with("sweep") || node.key.starts_with("seeds")) {
    diagnostics.add(node.key_place, path,
                    "a trial has no such key; sweep over another, as in seed");
  } else if (table && kind == SweepKind::Random) {
    read_range(Section(&node, path, node.place, diagnostics), key);
    if (key.min) sweep.keys.push_back(std::move(key));
  } else if (!node.is(Node::Kind::List) || node.items.empty()) {
    diagnostics.add(node.place, subject(path, node),
                    kind == SweepKind::Random
                        ? "must be a list of values, or { min = 0.001, max = 0.1, log = true }"
                        : std::string("must be a list of values, as in [2, 4, 8]") +
                              (table ? "; a range needs kind = \"random\"" : ""));
  } else {
    for (const Node& value : node.items) key.values.push_back(toml_text(value));
    sweep.keys.push_back(std::move(key));
  }
}

void check_size_of_grid(const Node& keys, const SweepConfig& sweep, Diagnostics& diagnostics) {
  double count = 1;
  for (const SweepKey& key : sweep.keys) count *= static_cast<double>(key.values.size());
  if (count <= static_cast<double>(kMostTrials)) return;
  diagnostics.add(keys.place, "sweep.keys",
                  "make " + real_text(count) + " trials; at most " + std::to_string(kMostTrials) +
                      ": take kind = \"random\" or fewer values");
}

void check_lengths(const Node& keys, const SweepConfig& sweep, Diagnostics& diagnostics) {
  for (const SweepKey& key : sweep.keys) {
    const SweepKey& first = sweep.keys.front();
    if (key.values.size() == first.values.size()) continue;
    diagnostics.add(keys.find(key.key)->place, "sweep.keys." + key_text(key.key),
                    "has " + std::to_string(key.values.size()) + " values and " + first.key + " " +
                        std::to_string(first.values.size()) +
                        "; kind = \"list\" makes trial i of value i of each key");
  }
}

}  // namespace

void read_sweep(Section section, std::optional<SweepConfig>& sweep) {
  SweepConfig read;
  int64_t kind = 0;
  section.choice("kind", {"grid", "list", "random"}, kind,
                 "every combination, value i of each key as trial i, or random draws");
  read.kind = static_cast<SweepKind>(kind);
  const bool random = read.kind == SweepKind::Random;
  section.refuse_rest(random ? ""
                             : "belongs to kind = \"random\"; the values of the others make it");
  const Node* trials = section.take("trials", "integer", ">= 1", "", "random: how many draws");
  section.refuse_rest("");
  const Section keys = section.section(
      "keys",
      "key as on the command line = list of its values; random: or { min, max, log, integer }");
  section.finish();
  if (!section.present()) return;
  Diagnostics& diagnostics = section.diagnostics();
  if (trials != nullptr) {
    read_integer(*trials, "sweep.trials", Range::between(1, static_cast<double>(kMostTrials)),
                 read.trials, "", diagnostics);
  } else if (random) {
    diagnostics.add(section.place(), "sweep.trials", "missing; how many draws, as in trials = 20");
  }
  const size_t mistakes = diagnostics.count();
  if (keys.present()) {
    for (const Node& node : keys.node()->items) {
      read_key(node, keys.key_path(node.key), read.kind, diagnostics, read);
    }
    if (read.kind == SweepKind::List) check_lengths(*keys.node(), read, diagnostics);
    if (read.kind == SweepKind::Grid) check_size_of_grid(*keys.node(), read, diagnostics);
  }
  if (!keys.present() || keys.node()->items.empty()) {
    diagnostics.add(section.place(), "sweep.keys",
                    "missing; write [sweep.keys] and \"train.epochs\" = [1, 2]");
  }
  if (diagnostics.count() == mistakes) sweep = std::move(read);
}

}  // namespace retort::host::config
