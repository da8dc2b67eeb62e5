#include "framework/config/parse.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "framework/base/suggest.hpp"
#include "framework/config/keys/baseline.hpp"
#include "framework/config/keys/names.hpp"
#include "framework/config/keys/seeds.hpp"
#include "framework/config/load_tree.hpp"
#include "framework/config/trials.hpp"

namespace retort::host {
namespace config {

namespace {

/// Reads the teacher, which the transfers read before may need.
void read_teacher(Section& root, const Catalog& catalog, Experiment& experiment) {
  const auto& transfers = experiment.transfers;
  const auto needs_one =
      std::find_if(transfers.begin(), transfers.end(), [](const TransferConfig& transfer) {
        const ComponentInfo& info = transfer.strategy.info;
        return !info.id.empty() && (info.needs & RETORT_NEED_NO_TEACHER) == 0;
      });
  const bool asked_for = root.node()->find("teacher") != nullptr || root.schema() != nullptr;
  if (needs_one == transfers.end() && !asked_for) {
    root.take("teacher");
    return;
  }
  const std::string who =
      ", and transfer[" + std::to_string(needs_one - transfers.begin()) + "] needs one";
  Section section = root.required("teacher", who, "[teacher] with a model");
  experiment.teacher.emplace().train = experiment.train;
  read_network(std::move(section), NetworkRole::Teacher, catalog, *experiment.teacher);
}

void add_batch_mistake(Section& root, const DataConfig& data, const std::string& needs) {
  const bool few = data.train_samples > 0 && data.train_samples < data.batch_size;
  const std::string key = few ? "train_samples" : "batch_size";
  const Node* section = root.node()->find("data");
  const Node* node = section != nullptr ? section->find(key) : nullptr;
  root.diagnostics().add(
      node != nullptr      ? node->place
      : section != nullptr ? section->place
                           : root.place(),
      "data." + key + " = " + std::to_string(few ? data.train_samples : data.batch_size), needs);
}

/// Whether every strategy can work with the largest batch there will be.
void check_batches(Section& root, const Experiment& experiment) {
  const DataConfig& data = experiment.data;
  const bool few = data.train_samples > 0 && data.train_samples < data.batch_size;
  const int64_t batch = few ? data.train_samples : data.batch_size;
  for (const TransferConfig& transfer : experiment.transfers) {
    const ComponentInfo& info = transfer.strategy.info;
    if (info.id.empty()) continue;  // unknown, and told already
    if (batch < info.batch_min) {
      add_batch_mistake(root, data,
                        "must be >= " + std::to_string(info.batch_min) + ": " + transfer.name +
                            " compares samples of one batch");
    } else if (info.batch_multiple_of > 1 && batch % info.batch_multiple_of != 0) {
      add_batch_mistake(root, data,
                        "must be a multiple of " + std::to_string(info.batch_multiple_of) +
                            " for " + transfer.name);
    }
  }
}

/// A mixed image has two labels, and a strategy is given one.
void check_labels_are_whole(Section& root, const Experiment& experiment) {
  for (const char* key : {"mixup", "cutmix"}) {
    const double alpha =
        key == std::string_view("mixup") ? experiment.data.mixup : experiment.data.cutmix;
    if (alpha <= 0) continue;
    std::vector<std::string> names;
    for (const TransferConfig& transfer : experiment.transfers) {
      if ((transfer.strategy.info.needs & RETORT_NEED_LABELS) != 0) names.push_back(transfer.name);
    }
    if (names.empty()) continue;
    const Node* node = root.node()->find("data")->find(key);
    root.diagnostics().add(node->place, subject(std::string("data.") + key, *node),
                           "gives an image two labels, and " + join(names) +
                               " would be handed one of them alone; set it to 0, or take a "
                               "strategy that needs no labels");
  }
}

void check_something_learns(Section& root, const Experiment& experiment) {
  const bool transfers =
      std::any_of(experiment.transfers.begin(), experiment.transfers.end(),
                  [](const TransferConfig& t) { return t.weight.from > 0 || t.weight.to > 0; });
  if (experiment.task.weight > 0 || transfers) return;
  const Node* task = root.node()->find("task");
  const Node* weight = task != nullptr ? task->find("weight") : nullptr;
  root.diagnostics().add(weight != nullptr ? weight->place : root.place(), "task.weight = 0",
                         "no [[transfer]] has a weight either: the student would learn nothing");
}

/// Seeds give each trial its own; a sweep over them too would be undone.
void check_swept_seed(Section& root, const Experiment& experiment) {
  if (!experiment.sweep || experiment.seeds.empty()) return;
  const Node* swept = root.node()->find("sweep")->find("keys")->find("seed");
  if (swept == nullptr) return;
  root.diagnostics().add(swept->key_place, "sweep.keys.seed",
                         "there are seeds too, and each trial runs with every one; remove one");
}

void read_experiment(Section& root, const Catalog& catalog, Purpose purpose,
                     Experiment& experiment) {
  read_names(root, experiment);
  read_seeds(root, experiment);
  read_data(root.required("data", "", "[data] with dataset = \"...\""), catalog, experiment.data);
  read_train(root.section("train"), experiment.train);
  read_transfers(root, catalog, experiment.transfers);
  read_teacher(root, catalog, experiment);
  experiment.student.train = experiment.train;
  read_network(root.required("student", "", "[student] with a model"), NetworkRole::Student,
               catalog, experiment.student);
  read_task(root.section("task"), experiment.task);
  read_run(root.section("run"), experiment.run);
  read_baseline(root.section("baseline"), experiment);
  read_sweep(root.section("sweep"), experiment.sweep);
  root.finish();
  check_swept_seed(root, experiment);
  check_batches(root, experiment);
  if (purpose == Purpose::Train) check_labels_are_whole(root, experiment);
  check_something_learns(root, experiment);
}

/// Every key that the readers ask for, those kept for later included.
Schema declared_keys() {
  Schema schema;
  Diagnostics unused;
  Experiment experiment;
  const Node empty;
  Section root(&empty, "", {}, unused, &schema);
  read_experiment(root, Catalog::of({}), Purpose::Train, experiment);
  return schema;
}

}  // namespace
}  // namespace config

ExperimentFile::ExperimentFile(const std::filesystem::path& file,
                               const std::vector<std::string>& overrides, Catalog catalog)
    : file_(file),
      tree_(config::load_tree(file, overrides, reading_)),
      catalog_(std::move(catalog)) {}

ExperimentFile::ExperimentFile(std::filesystem::path file, std::optional<config::Node> tree,
                               Diagnostics reading, Catalog catalog)
    : file_(std::move(file)),
      reading_(std::move(reading)),
      tree_(std::move(tree)),
      catalog_(std::move(catalog)) {}

Experiment ExperimentFile::read(const config::Node& tree, Purpose purpose,
                                Diagnostics& diagnostics) const {
  Experiment experiment;
  experiment.file = file_;
  config::Section root(&tree, "", tree.place, diagnostics);
  config::read_experiment(root, catalog_, purpose, experiment);
  return experiment;
}

Experiment ExperimentFile::load(Purpose purpose) const {
  Diagnostics diagnostics = reading_;
  Experiment experiment;
  if (tree_) {
    experiment = read(*tree_, purpose, diagnostics);
    if (experiment.sweep) {
      const auto read_trial = [&](const config::Node& trial) {
        Diagnostics mistakes;
        read(trial, purpose, mistakes);
        return mistakes;
      };
      config::check_trials(*tree_, *experiment.sweep, experiment.seed, diagnostics, read_trial);
    }
  }
  diagnostics.throw_if_any();
  return experiment;
}

Experiment ExperimentFile::load_trial(const std::vector<std::string>& overrides) const {
  Diagnostics diagnostics = reading_;
  Experiment experiment;
  if (tree_) {
    config::Node trial = config::trial_tree(*tree_);
    for (const std::string& text : overrides) config::override_tree(trial, text, diagnostics);
    experiment = read(trial, Purpose::Train, diagnostics);
  }
  diagnostics.throw_if_any();
  return experiment;
}

Experiment load_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides, const Catalog& catalog) {
  return ExperimentFile(file, overrides, catalog).load();
}

std::vector<config::KeyInfo> experiment_keys() {
  std::vector<config::KeyInfo> keys = config::declared_keys();
  std::erase_if(keys, [](const config::KeyInfo& key) { return key.reserved; });
  return keys;
}

ReservedNames reserved_option_names() {
  const std::pair<std::string, retort_kind> sections[] = {{"data.", RETORT_KIND_DATASET},
                                                          {"teacher.", RETORT_KIND_MODEL},
                                                          {"student.", RETORT_KIND_MODEL},
                                                          {"transfer[0].", RETORT_KIND_STRATEGY}};
  ReservedNames reserved;
  for (const config::KeyInfo& key : config::declared_keys()) {
    for (const auto& [prefix, kind] : sections) {
      if (!key.path.starts_with(prefix)) continue;
      const std::string name = key.path.substr(prefix.size());
      reserved[kind].insert(name.substr(0, name.find('.')));
    }
  }
  return reserved;
}

}  // namespace retort::host
