#include "framework/config/keys/weight_schedule.hpp"

#include <vector>

#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

void read_moving_weight(Section section, WeightSchedule& weight) {
  const size_t mistakes = section.diagnostics().count();
  const auto read_end = [&](const char* key, double& end, const std::string& help) {
    const Node* node = section.take(key, "number", ">= 0", "", help);
    if (node == nullptr) return;
    read_real(*node, section.key_path(key), Range::at_least(0), end, "", section.diagnostics());
  };
  read_end("from", weight.from, "weight up to the first of the epochs");
  read_end("to", weight.to, "weight from the second of the epochs on");
  std::vector<double> epochs;
  const Node* node = section.reals("epochs", Range::at_least(0), epochs, "",
                                   "two epochs, from 0, between which the weight moves evenly");
  section.finish();
  if (!section.present() || section.diagnostics().count() != mistakes) return;
  for (const char* key : {"from", "to", "epochs"}) {
    if (section.node()->find(key) != nullptr) continue;
    section.diagnostics().add(section.place(), section.key_path(key),
                              "missing; write { from = 100, to = 0, epochs = [1, 2] }");
  }
  if (node == nullptr) return;
  if (epochs.size() != 2 || epochs[0] > epochs[1]) {
    section.diagnostics().add(node->place, section.key_path("epochs"),
                              "must be two epochs, the first not above the second, as in [1, 2]");
    return;
  }
  weight.begin_epoch = epochs[0];
  weight.end_epoch = epochs[1];
}

}  // namespace

void read_weight(Section& section, WeightSchedule& weight) {
  const Node* node = section.take("weight", "number or table", ">= 0", "1",
                                  "factor of this term; loss = task + sum of weight * transfer");
  const std::string path = section.key_path("weight");
  if (section.schema() != nullptr) {
    WeightSchedule unused;
    read_moving_weight(
        Section(nullptr, path, section.place(), section.diagnostics(), section.schema()), unused);
  }
  if (node == nullptr) return;
  if (node->is(Node::Kind::Table)) {
    read_moving_weight(Section(node, path, node->place, section.diagnostics()), weight);
  } else if (node->is(Node::Kind::Integer) || node->is(Node::Kind::Real)) {
    read_real(*node, path, Range::at_least(0), weight.from, " (default 1)", section.diagnostics());
    weight.to = weight.from;
  } else {
    refuse_type(*node, path, "a number or { from = 100, to = 0, epochs = [1, 2] }", "",
                section.diagnostics());
  }
}

std::string write_weight(const WeightSchedule& weight) {
  const bool constant =
      weight.from == weight.to && weight.begin_epoch == 0 && weight.end_epoch == 0;
  if (constant) return write_value(weight.from);
  const std::vector<double> epochs = {weight.begin_epoch, weight.end_epoch};
  return write_braces({write_entry("from", write_value(weight.from)),
                       write_entry("to", write_value(weight.to)),
                       write_entry("epochs", write_list(epochs))});
}

}  // namespace retort::host::config
