#include "framework/config/check_views.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/check_participants.hpp"
#include "framework/config/keys/sides.hpp"
#include "framework/config/name_list.hpp"

namespace retort::host::config {
namespace {

constexpr const char* kSides[] = {"student", "teacher", "view"};

/// Whether it is not known what transfers compare, for a mistake that was told.
bool are_comparisons_unclear(Section& root, const Experiment& experiment) {
  const Diagnostics& diagnostics = root.diagnostics();
  if (are_transfers_unread(*root.node()) || !list_views(experiment.data).whole ||
      !know_networks(*root.node(), experiment, diagnostics).are_whole()) {
    return true;
  }
  return std::any_of(
      experiment.transfers.begin(), experiment.transfers.end(), [&](const auto& transfer) {
        return transfer.strategy.info.id.empty() ||
               std::any_of(std::begin(kSides), std::end(kSides), [&](const char* side) {
                 return is_unclear(transfer.key, side, diagnostics);
               });
      });
}

/// Whether a value, or a part of it, comes from the command line or a trial of a sweep.
bool is_given_outside(const Node& node) {
  return node.place.line == 0 ||
         std::any_of(node.items.begin(), node.items.end(), is_given_outside);
}

/// Whether what transfers compare comes from there.
bool are_comparisons_given_outside(const Section& root) {
  const Node* list = root.node()->find("transfer");
  if (list == nullptr) return false;
  if (list->place.line == 0) return true;
  return std::any_of(list->items.begin(), list->items.end(), [](const Node& transfer) {
    return transfer.place.line == 0 ||
           std::any_of(std::begin(kSides), std::end(kSides), [&](const char* side) {
             const Node* node = transfer.find(side);
             return node != nullptr && is_given_outside(*node);
           });
  });
}

/// Networks with a view that a transfer compares.
std::set<std::pair<std::string, std::string>> list_compared(const Experiment& experiment) {
  std::set<std::pair<std::string, std::string>> compared;
  for (const TransferConfig& transfer : experiment.transfers) {
    compared.emplace(transfer.student, transfer.view_student);
    for (const std::string& teacher : transfer.teachers)
      compared.emplace(teacher, transfer.view_teacher);
  }
  return compared;
}

/// A network's first view is that of the task and of evaluation; a transfer must compare each other
/// one. Returns whether some were left out, since the command line says what is compared.
bool check_views_are_compared(Section& root, Experiment& experiment) {
  if (are_comparisons_unclear(root, experiment)) return false;
  const bool leave_out = are_comparisons_given_outside(root);
  const auto compared = list_compared(experiment);
  bool left_out = false;
  for (auto* networks : {&experiment.teachers, &experiment.students}) {
    const std::string side = networks == &experiment.students ? "student" : "teacher";
    for (NetworkConfig& network : *networks) {
      if (is_unclear(network.key, "views", root.diagnostics())) continue;
      std::vector<std::string> used = {network.views.front()};
      for (size_t i = 1; i < network.views.size(); ++i) {
        const std::string& view = network.views[i];
        if (compared.contains({network.name, view})) {
          used.push_back(view);
        } else if (!leave_out) {
          const Node& item = find_table(root, network.key).find("views")->items[i];
          root.diagnostics().add(item.place, subject(entry_path(network.key + ".views", i), item),
                                 "no [[transfer]] compares it; name it in one, view = { " + side +
                                     " = " + quote_text(view) + " }, or take it out");
        }
      }
      if (!leave_out) continue;
      left_out |= used.size() < network.views.size();
      network.views = std::move(used);
    }
  }
  return left_out;
}

/// Whether it is not known which views the networks have, or which ones those are like.
bool are_views_unclear(Section& root, const Experiment& experiment) {
  const Diagnostics& diagnostics = root.diagnostics();
  const bool are_networks_read = !experiment.students.empty() &&
                                 !is_misspelt(*root.node(), "student") &&
                                 !is_misspelt(*root.node(), "teacher");
  if (!are_networks_read || !list_views(experiment.data).whole) return true;
  for (const auto* networks : {&experiment.teachers, &experiment.students}) {
    for (const NetworkConfig& network : *networks) {
      const bool is_table = find_table(root, network.key).is(Node::Kind::Table);
      if (!is_table || is_unclear(network.key, "views", diagnostics)) return true;
    }
  }
  const auto& views = experiment.data.views;
  return std::any_of(views.begin(), views.end(), [&](const ViewConfig& view) {
    return view.like.empty() &&
           is_unclear("data.views." + key_text(view.name), "like", diagnostics);
  });
}

/// The views that transfers name, whether or not their networks have them, which is told there.
std::set<std::string> list_named(const Section& root) {
  std::set<std::string> named;
  const Node* list = root.node()->find("transfer");
  for (size_t i = 0; list != nullptr && i < list->items.size(); ++i) {
    const Node* view = list->items[i].find("view");
    if (view == nullptr) continue;
    named.insert(view->text);
    for (const Node& side : view->items) named.insert(side.text);
  }
  return named;
}

/// The views of all networks, those that transfers name, and what these are like.
std::set<std::string> list_seen(const Section& root, const Experiment& experiment) {
  std::set<std::string> seen = list_named(root);
  for (const auto* networks : {&experiment.teachers, &experiment.students}) {
    for (const NetworkConfig& network : *networks) {
      seen.insert(network.views.begin(), network.views.end());
    }
  }
  for (size_t turn = 0; turn < experiment.data.views.size(); ++turn) {
    for (const ViewConfig& view : experiment.data.views)
      if (seen.contains(view.name) && !view.like.empty()) seen.insert(view.like);
  }
  return seen;
}

void check_views_are_seen(Section& root, const Experiment& experiment) {
  if (are_views_unclear(root, experiment)) return;
  const std::set<std::string> seen = list_seen(root, experiment);
  for (const ViewConfig& view : experiment.data.views) {
    if (seen.contains(view.name)) continue;
    const Node& table = *root.node()->find("data")->find("views")->find(view.name);
    root.diagnostics().add(table.key_place, "data.views." + key_text(view.name),
                           "no network sees it; add it to the views of [student] or [teacher], or "
                           "take it out");
  }
}

}  // namespace

void check_views(Section& root, Purpose purpose, Experiment& experiment) {
  if (purpose == Purpose::Train && check_views_are_compared(root, experiment)) {
    const std::set<std::string> seen = list_seen(root, experiment);
    std::erase_if(experiment.data.views,
                  [&](const ViewConfig& view) { return !seen.contains(view.name); });
  }
  check_views_are_seen(root, experiment);
}

}  // namespace retort::host::config
