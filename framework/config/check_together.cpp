#include "framework/config/check_together.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/check_participants.hpp"
#include "framework/config/check_phases.hpp"
#include "framework/config/check_views.hpp"
#include "framework/config/name_list.hpp"

namespace retort::host::config {
namespace {

/// Seeds give each trial its own; a sweep over them too would be undone.
void check_swept_seed(Section& root, const Experiment& experiment) {
  if (!experiment.sweep || experiment.seeds.empty()) return;
  const Node* swept = root.node()->find_path("sweep.keys.seed");
  if (swept == nullptr) return;
  root.diagnostics().add(swept->key_place, "sweep.keys.seed",
                         "there are seeds too, and each trial runs with every one; remove one");
}

/// The samples of the largest batch there will be, and the key that says so.
std::pair<std::string, int64_t> find_largest_batch(const DataConfig& data) {
  const bool few = data.train_samples > 0 && data.train_samples < data.batch_size;
  return few ? std::pair("data.train_samples", data.train_samples)
             : std::pair("data.batch_size", data.batch_size);
}

void add_batch_mistake(Section& root, const DataConfig& data, const std::string& needs) {
  const auto [key, batch] = find_largest_batch(data);
  const Node* node = root.node()->find_path(key);
  if (node == nullptr) node = root.node()->find("data");
  root.diagnostics().add(node != nullptr ? node->place : root.place(),
                         key + " = " + std::to_string(batch), needs);
}

/// How the rows that a strategy is handed follow from the batch: "", or "times 4, the copies of ..,
/// ".
std::string copies_text(int64_t times, const std::string& view) {
  if (times == 1) return "";
  return "times " + std::to_string(times) + ", the copies of " + quote_text(view) + ", ";
}

/// Whether every strategy can work with the largest batch.
void check_batches(Section& root, const Experiment& experiment) {
  for (const TransferConfig& transfer : experiment.transfers) {
    const ComponentInfo& info = transfer.strategy.info;
    if (info.id.empty()) continue;  // unknown, and told already
    const std::string view_path = "data.views." + key_text(transfer.view_student);
    if (is_unclear(view_path, "times", root.diagnostics())) continue;
    const ViewConfig* view = experiment.data.find_view(transfer.view_student);
    const int64_t times = view == nullptr ? 1 : view->times;
    const int64_t rows = find_largest_batch(experiment.data).second * times;
    const std::string copies = copies_text(times, transfer.view_student);
    if (rows < info.batch_min) {
      add_batch_mistake(root, experiment.data,
                        copies + "must be >= " + std::to_string(info.batch_min) + ": " +
                            transfer.name + " compares samples of one batch");
    } else if (info.batch_multiple_of > 1 && rows % info.batch_multiple_of != 0) {
      add_batch_mistake(root, experiment.data,
                        copies + "must be a multiple of " + std::to_string(info.batch_multiple_of) +
                            " for " + transfer.name);
    }
  }
}

/// A mixed image has two labels, and a strategy is given one.
void check_labels_are_whole(Section& root, const Experiment& experiment) {
  std::vector<std::string> names;
  for (const TransferConfig& transfer : experiment.transfers) {
    if ((transfer.strategy.info.needs & RETORT_NEED_LABELS) != 0) names.push_back(transfer.name);
  }
  if (names.empty()) return;
  const DataConfig& data = experiment.data;
  for (const auto& [key, alpha] :
       {std::pair("data.mixup", data.mixup), std::pair("data.cutmix", data.cutmix)}) {
    if (alpha <= 0) continue;
    const Node* node = root.node()->find_path(key);
    root.diagnostics().add(node->place, subject(key, *node),
                           "gives an image two labels, and " + join(names) +
                               " would be handed one of them alone; set it to 0, or take a "
                               "strategy that needs no labels");
  }
}

}  // namespace

void check_together(Section& root, Purpose purpose, Experiment& experiment) {
  check_swept_seed(root, experiment);
  check_batches(root, experiment);
  if (purpose == Purpose::Train) check_labels_are_whole(root, experiment);
  check_participants(root, experiment);
  check_views(root, purpose, experiment);
  check_phases(root, experiment);
}

}  // namespace retort::host::config
