#include "framework/config/keys/transfer.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "framework/base/names.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/keys/bind.hpp"
#include "framework/config/keys/sides.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

void read_name(Section& section, std::set<std::string>& used, TransferConfig& transfer) {
  transfer.name = transfer.strategy.info.id;
  const Node* node =
      section.text("name", transfer.name, "in metrics and messages; absent: the strategy's id");
  if (node != nullptr && !check_name(*node, section.key_path("name"), section.diagnostics()))
    return;
  const bool is_host =
      std::find(names::kAll.begin(), names::kAll.end(), transfer.name) != names::kAll.end();
  if (used.insert(transfer.name).second && !is_host) return;
  const Node* blamed = node != nullptr ? node : section.node()->find("strategy");
  section.diagnostics().add(
      blamed->place, subject(section.key_path(node != nullptr ? "name" : "strategy"), *blamed),
      (is_host ? "is what metrics or saved states call a value of the host; give it another name: "
               : "an earlier transfer has this name; give one of them another: ") +
          ("name = " + quote_text(transfer.name + ".2")));
}

void read_transfer(Section section, const Catalog& catalog, std::set<std::string>& used,
                   TransferConfig& transfer) {
  const bool known =
      read_component(section, "strategy", RETORT_KIND_STRATEGY, catalog, transfer.strategy);
  read_weight(section, transfer.weight);
  take_sides(section);
  section.reserve("host");
  if (!known && section.schema() == nullptr) {
    const Node* name = section.text("name", transfer.name);
    if (name != nullptr) check_name(*name, section.key_path("name"), section.diagnostics());
    section.take("bind");
    return section.finish();
  }
  read_name(section, used, transfer);
  read_bind(section, transfer);
  read_options(section, transfer.strategy);
  section.finish();
}

}  // namespace

void read_transfers(Section& root, const Catalog& catalog, std::vector<TransferConfig>& transfers) {
  const Node* node = root.take("transfer");
  std::set<std::string> used;
  if (root.schema() != nullptr) {
    TransferConfig unused;
    read_transfer(Section(nullptr, "transfer[0]", root.place(), root.diagnostics(), root.schema()),
                  catalog, used, unused);
  }
  if (node == nullptr) return;
  if (!node->is(Node::Kind::List)) {
    root.diagnostics().add(node->place, subject("transfer", *node),
                           "must be a list: write [[transfer]] above each strategy");
    return;
  }
  for (size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    TransferConfig& transfer = transfers.emplace_back();
    transfer.key = entry_path("transfer", i);
    read_transfer(Section(&item, transfer.key, item.place, root.diagnostics()), catalog, used,
                  transfer);
  }
}

bool are_transfers_unread(const Node& root) {
  if (is_misspelt(root, "transfer")) return true;
  const Node* list = root.find("transfer");
  if (list == nullptr) return false;
  return !list->is(Node::Kind::List) ||
         std::any_of(list->items.begin(), list->items.end(),
                     [](const Node& item) { return !item.is(Node::Kind::Table); });
}

KnownNames know_transfers(const Node& root, const std::vector<TransferConfig>& transfers,
                          const Diagnostics& diagnostics) {
  KnownNames known = know_names(transfers, diagnostics);
  known.whole &= !are_transfers_unread(root);
  return known;
}

bool needs_no_teacher(const TransferConfig& transfer) {
  const ComponentInfo& info = transfer.strategy.info;
  return !info.id.empty() && (info.needs & RETORT_NEED_NO_TEACHER) != 0;
}

std::string write_transfers(const Experiment& experiment) {
  std::string text;
  for (const TransferConfig& transfer : experiment.transfers) {
    text += "\n[[transfer]]\n" + write_line("strategy", write_value(transfer.strategy.info.id)) +
            write_line("name", write_value(transfer.name)) + write_sides(transfer, experiment) +
            write_line("weight", write_weight(transfer.weight)) + write_options(transfer.strategy) +
            write_bind(transfer);
  }
  return text;
}

}  // namespace retort::host::config
