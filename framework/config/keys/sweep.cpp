#include "framework/config/keys/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/config/enum_names.hpp"
#include "framework/config/overrides.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

using SweepKind = SweepConfig::Kind;

constexpr EnumNames<SweepKind, 3> kSweepNames = {{"grid", "list", "random"}};

constexpr double kLargestInteger = 0x1p53;  // beyond it a double skips some

/// What is wrong with a range, or "".
std::string check_range(const SweepKey& key) {
  const double min = *key.min, max = *key.max;
  if (key.integer && (min != std::floor(min) || max != std::floor(max))) {
    return "integer needs whole min and max";
  }
  if (key.integer && std::max(std::abs(min), std::abs(max)) > kLargestInteger) {
    return "integer needs min and max within 2^53";
  }
  if (key.log && min <= 0) return "log needs min > 0";
  return min >= max ? "min must be below max" : "";
}

/// { min = 1e-3, max = 1e-1, log = true }
void read_range(Section range, SweepKey& key) {
  Diagnostics& diagnostics = range.diagnostics();
  const size_t mistakes = diagnostics.count();
  double min = 0;
  double max = 0;
  for (const auto& [name, bound] : {std::pair("min", &min), std::pair("max", &max)}) {
    if (range.node()->find(name) == nullptr) {
      diagnostics.add(range.place(), range.key_path(name),
                      "missing; write { min = 0.001, max = 0.1, log = true }");
    }
    range.real(name, Range::any(), *bound);
  }
  range.boolean("log", key.log);
  range.boolean("integer", key.integer);
  range.finish();
  if (diagnostics.count() != mistakes) return;
  key.min = min;
  key.max = max;
  if (const std::string wrong = check_range(key); !wrong.empty()) {
    diagnostics.add(range.place(), range.path(),
                    wrong + "; found " + real_text(min) + " and " + real_text(max));
  }
}

/// A key in two spellings, and a value that would make two equal trials.
void check_repeats(const Node& node, const std::string& path, const SweepConfig& sweep,
                   Diagnostics& diagnostics) {
  const std::string key = write_override_path(node.key);
  for (const SweepKey& before : sweep.keys) {
    if (write_override_path(before.key) != key) continue;
    diagnostics.add(node.key_place, path,
                    "is the key " + before.key + " again; name it once, with all its values");
  }
  if (sweep.kind != SweepKind::Grid || !node.is(Node::Kind::List)) return;
  for (size_t i = 1; i < node.items.size(); ++i) {
    const std::string value = toml_text(node.items[i]);
    const auto end = node.items.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::none_of(node.items.begin(), end,
                     [&](const Node& other) { return toml_text(other) == value; }))
      continue;
    diagnostics.add(node.items[i].place, path,
                    "has " + value + " twice, which would make two equal trials; name it once");
  }
}

void read_key(const Node& node, const std::string& path, SweepKind kind, Diagnostics& diagnostics,
              SweepConfig& sweep) {
  check_repeats(node, path, sweep, diagnostics);
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

void read_trials(const Section& section, const Node* node, Diagnostics& diagnostics,
                 SweepConfig& sweep) {
  if (node != nullptr) {
    read_integer(*node, "sweep.trials", Range::between(1, static_cast<double>(kMostTrials)),
                 sweep.trials, "", diagnostics);
  } else if (sweep.kind == SweepKind::Random) {
    diagnostics.add(section.place(), "sweep.trials", "missing; how many draws, as in trials = 20");
  }
}

void read_keys(const Section& section, const Section& keys, Diagnostics& diagnostics,
               SweepConfig& sweep) {
  if (keys.present()) {
    for (const Node& node : keys.node()->items) {
      read_key(node, keys.key_path(node.key), sweep.kind, diagnostics, sweep);
    }
    if (sweep.kind == SweepKind::List) check_lengths(*keys.node(), sweep, diagnostics);
    if (sweep.kind == SweepKind::Grid) check_size_of_grid(*keys.node(), sweep, diagnostics);
  }
  if (!keys.present() || keys.node()->items.empty()) {
    diagnostics.add(section.place(), "sweep.keys",
                    "missing; write [sweep.keys] and \"train.epochs\" = [1, 2]");
  }
}

/// A range or a list of values.
std::string write_values(const SweepKey& key) {
  if (!key.min || !key.max) return write_brackets(key.values);
  return write_braces(
      {write_entry("min", write_value(*key.min)), write_entry("max", write_value(*key.max)),
       write_entry("log", write_value(key.log)), write_entry("integer", write_value(key.integer))});
}

}  // namespace

void read_sweep(Section section, std::optional<SweepConfig>& sweep) {
  SweepConfig read;
  kSweepNames.read(section, "kind", read.kind,
                   "every combination, value i of each key as trial i, or random draws");
  section.refuse_rest(read.kind == SweepKind::Random
                          ? ""
                          : "belongs to kind = \"random\"; the values of the others make it");
  const Node* trials = section.take("trials", "integer", ">= 1", "", "random: how many draws");
  section.refuse_rest("");
  const Section keys = section.section(
      "keys",
      "key as on the command line = list of its values; random: or { min, max, log, integer }");
  section.finish();
  if (!section.present()) return;
  Diagnostics& diagnostics = section.diagnostics();
  read_trials(section, trials, diagnostics, read);
  const size_t mistakes = diagnostics.count();
  read_keys(section, keys, diagnostics, read);
  if (diagnostics.count() == mistakes) sweep = std::move(read);
}

std::string write_sweep(const SweepConfig& sweep) {
  const bool random = sweep.kind == SweepKind::Random;
  std::string text = "\n[sweep]\n" + write_line("kind", write_value(kSweepNames[sweep.kind])) +
                     (random ? write_line("trials", write_value(sweep.trials)) : "") +
                     "\n[sweep.keys]\n";
  for (const SweepKey& key : sweep.keys) text += write_line(key_text(key.key), write_values(key));
  return text;
}

}  // namespace retort::host::config
