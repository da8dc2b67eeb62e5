#include "framework/config/trials.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "framework/config/load_tree.hpp"

namespace retort::host::config {
namespace {

/// The values to try of a key: those listed, or both ends of its range.
std::vector<std::string> values_of(const SweepKey& key) {
  if (!key.min || !key.max) return key.values;
  return {real_text(*key.min), real_text(*key.max)};
}

/// A copy of the experiment without the sweep, which a trial is.
Node without_sweep(const Node& tree) {
  Node copy = tree;
  std::erase_if(copy.items, [](const Node& item) { return item.key == "sweep"; });
  return copy;
}

/// Checks the trials of one sweep and remembers what was told.
class TrialCheck {
 public:
  TrialCheck(const Node& tree, const SweepConfig& sweep, Diagnostics& diagnostics,
             const std::function<Diagnostics(const Node&)>& read)
      : tree_(without_sweep(tree)),
        keys_(tree.find("sweep")->find("keys")),
        sweep_(sweep),
        diagnostics_(diagnostics),
        read_(read) {
    const Diagnostics base = read_(tree_);
    for (const Mistake& mistake : base.mistakes()) told_.insert(identity(mistake));
  }

  /// The trial in which key i has its value number `chosen[i]`; `varied` is the key to blame where a
  /// mistake stands in no override.
  void check(const std::vector<size_t>& chosen, size_t varied) {
    Node trial = tree_;
    Diagnostics mistakes;
    std::vector<std::string> overrides;
    for (size_t i = 0; i < chosen.size(); ++i) {
      overrides.push_back(sweep_.keys[i].key + "=" + values_of(sweep_.keys[i])[chosen[i]]);
      override_tree(trial, overrides.back(), mistakes);
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
      tell(mistake, blamed, chosen[blamed]);
    }
  }

 private:
  static std::string identity(const Mistake& mistake) {
    return place_text(mistake.place) + "\n" + mistake.subject + "\n" + mistake.what;
  }

  void tell(const Mistake& mistake, size_t key, size_t value) {
    const Node& values = *keys_->find(sweep_.keys[key].key);
    const bool list = values.is(Node::Kind::List);
    const Node& node = list ? values.items[value] : *values.find(value == 0 ? "min" : "max");
    const std::string path = "sweep.keys." + key_text(values.key) +
                             (list ? "[" + std::to_string(value) + "]" : "." + node.key);
    diagnostics_.add(node.place, subject(path, node),
                     mistake.subject + (mistake.subject.empty() ? "" : " ") + mistake.what);
  }

  const Node tree_;
  const Node* keys_;
  const SweepConfig& sweep_;
  Diagnostics& diagnostics_;
  const std::function<Diagnostics(const Node&)>& read_;
  std::set<std::string> told_;
};

}  // namespace

void check_trials(const Node& tree, const SweepConfig& sweep, Diagnostics& diagnostics,
                  const std::function<Diagnostics(const Node& trial)>& read) {
  if (sweep.keys.empty()) return;
  TrialCheck trials(tree, sweep, diagnostics, read);
  if (sweep.kind == SweepConfig::Kind::List) {
    for (size_t trial = 0; trial < sweep.keys.front().values.size(); ++trial) {
      trials.check(std::vector<size_t>(sweep.keys.size(), trial), 0);
    }
    return;
  }
  for (size_t key = 0; key < sweep.keys.size(); ++key) {
    std::vector<size_t> chosen(sweep.keys.size(), 0);
    for (; chosen[key] < values_of(sweep.keys[key]).size(); ++chosen[key]) {
      trials.check(chosen, key);
    }
  }
}

}  // namespace retort::host::config
