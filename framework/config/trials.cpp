#include "framework/config/trials.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "framework/config/load_tree.hpp"

namespace retort::host::config {
namespace {

constexpr size_t kMostCombinations = 10000;
constexpr size_t kMostMistakes = 50;

std::string bound_text(const SweepKey& key, double bound) {
  return key.integer ? std::to_string(static_cast<int64_t>(bound)) : real_text(bound);
}

/// The values to try of a key by themselves: those listed, or both ends of its range.
std::vector<std::string> values_to_try(const SweepKey& key) {
  if (!key.min || !key.max) return key.values;
  return {bound_text(key, *key.min), bound_text(key, *key.max)};
}

size_t count_combinations(const SweepConfig& sweep) {
  size_t count = 1;
  for (const SweepKey& key : sweep.keys) count *= std::max<size_t>(key.values.size(), 1);
  return count;
}

/// Checks the trials of one sweep and remembers what was told.
class TrialCheck {
 public:
  TrialCheck(const Node& tree, const SweepConfig& sweep, Diagnostics& diagnostics,
             const std::function<Diagnostics(const Node&)>& read)
      : tree_(trial_tree(tree)),
        keys_(tree.find_path("sweep.keys")),
        sweep_(sweep),
        diagnostics_(diagnostics),
        read_(read) {
    const Diagnostics base = read_(tree_);
    for (const Mistake& mistake : base.mistakes()) told_.insert(identity(mistake));
  }

  bool full() const { return mistakes_ >= kMostMistakes; }

  /// A trial with these values. `varied` is the key to blame where a mistake stands in no override.
  void check(const std::vector<std::string>& overrides, size_t varied) {
    Node trial = tree_;
    Diagnostics mistakes;
    for (const std::string& override_text : overrides) {
      override_tree(trial, override_text, mistakes);
    }
    std::vector<Mistake> found = mistakes.mistakes();
    const Diagnostics read = read_(trial);
    found.insert(found.end(), read.mistakes().begin(), read.mistakes().end());
    for (const Mistake& mistake : found) {
      if (!told_.insert(identity(mistake)).second) continue;
      size_t blamed = varied;
      for (size_t i = 0; i < overrides.size(); ++i) {
        if (mistake.place.file == "command line: " + overrides[i]) blamed = i;
      }
      tell(mistake, blamed, overrides[blamed].substr(sweep_.keys[blamed].key.size() + 1));
    }
  }

 private:
  static std::string identity(const Mistake& mistake) {
    return place_text(mistake.place) + "\n" + mistake.subject + "\n" + mistake.what;
  }

  /// Tells a mistake of the value `text` of a key, where that value stands.
  void tell(const Mistake& mistake, size_t key, const std::string& text) {
    const Node& values = *keys_->find(sweep_.keys[key].key);
    // A range is told once: its other draws would say the same.
    if (values.is(Node::Kind::Table) && !ranges_told_.insert(key).second) return;
    ++mistakes_;
    std::string path = "sweep.keys." + key_text(values.key);
    std::string what = mistake.subject + (mistake.subject.empty() ? "" : " ") + mistake.what;
    const Node* node = &values;
    if (values.is(Node::Kind::List)) {
      const auto& texts = sweep_.keys[key].values;
      const auto at = std::find(texts.begin(), texts.end(), text) - texts.begin();
      node = &values.items[static_cast<size_t>(at)];
      path += "[" + std::to_string(at) + "]";
    } else if (text == bound_text(sweep_.keys[key], *sweep_.keys[key].min)) {
      node = values.find("min");
      path += ".min";
    } else if (text == bound_text(sweep_.keys[key], *sweep_.keys[key].max)) {
      node = values.find("max");
      path += ".max";
    } else {
      what = "draws " + text + ": " + what;
    }
    diagnostics_.add(node->place, subject(path, *node), what);
  }

  const Node tree_;
  const Node* keys_;
  const SweepConfig& sweep_;
  Diagnostics& diagnostics_;
  const std::function<Diagnostics(const Node&)>& read_;
  std::set<std::string> told_;
  std::set<size_t> ranges_told_;  // their keys' positions
  size_t mistakes_ = 0;
};

/// Each value of each key, beside the first ones of the others.
void check_values(TrialCheck& trials, const SweepConfig& sweep) {
  std::vector<std::string> first;
  for (const SweepKey& key : sweep.keys) {
    first.push_back(key.key + "=" + values_to_try(key).front());
  }
  for (size_t key = 0; key < sweep.keys.size(); ++key) {
    std::vector<std::string> overrides = first;
    for (const std::string& value : values_to_try(sweep.keys[key])) {
      if (trials.full()) return;
      overrides[key] = sweep.keys[key].key + "=" + value;
      trials.check(overrides, key);
    }
  }
}

}  // namespace

Node trial_tree(const Node& tree) {
  Node copy = tree;
  std::erase_if(copy.items,
                [](const Node& item) { return item.key == "sweep" || item.key == "seeds"; });
  return copy;
}

void check_trials(const Node& tree, const SweepConfig& sweep, uint64_t seed,
                  Diagnostics& diagnostics,
                  const std::function<Diagnostics(const Node& trial)>& read) {
  if (sweep.keys.empty()) return;
  TrialCheck trials(tree, sweep, diagnostics, read);
  if (sweep.kind != SweepConfig::Kind::List) check_values(trials, sweep);
  const bool large =
      sweep.kind == SweepConfig::Kind::Grid && count_combinations(sweep) > kMostCombinations;
  if (large) return;
  for (const std::vector<std::string>& overrides : make_trials(sweep, seed)) {
    if (trials.full()) return;
    trials.check(overrides, sweep.kind == SweepConfig::Kind::List ? 0 : overrides.size() - 1);
  }
}

}  // namespace retort::host::config
