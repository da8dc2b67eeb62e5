#include "framework/config/keys/phase.hpp"

#include <algorithm>
#include <utility>

#include "framework/base/names.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/keys/learn.hpp"
#include "framework/config/keys/sides.hpp"
#include "framework/config/name_list.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

/// What is wrong with a phase's name beside the others of a run, or "".
std::string check_phase_name(const std::string& name, const Experiment& experiment) {
  if (name == "all") return "stands for every phase in `bench --phase`; give it another name";
  const bool is_host = name == names::kTeacher || name == names::kStudent ||
                       name == names::kAlone || name.starts_with(std::string(names::kAlone) + ".");
  if (is_host) {
    return "is what the host calls a training of its own; give it another name: name = " +
           quote_text("my." + name);
  }
  const std::string another = "give it another name: name = " + quote_text(name + ".2");
  if (is_among(list_names(experiment.teachers), name)) {
    return "is what the training of that teacher is called; " + another;
  }
  const bool again = std::any_of(experiment.phases.begin(), experiment.phases.end(),
                                 [&](const PhaseConfig& before) { return before.name == name; });
  return again ? "an earlier phase has this name; " + another : "";
}

void read_phase_name(Section& section, const Experiment& experiment, PhaseConfig& phase) {
  const Node* node = section.text("name", phase.name, "in files, metrics and messages");
  const std::string path = section.key_path("name");
  Diagnostics& diagnostics = section.diagnostics();
  if (node == nullptr) {
    if (!section.present() || section.node()->find("name") != nullptr) return;
    if (is_misspelt(*section.node(), "name")) return;
    diagnostics.add(section.place(), path, "missing; it names files: name = \"hint\"");
  } else if (check_name(*node, path, diagnostics)) {
    const std::string wrong = check_phase_name(phase.name, experiment);
    if (!wrong.empty()) diagnostics.add(node->place, subject(path, *node), wrong);
  }
}

/// Where a term is not understood each may be meant.
void read_terms(Section& section, const Experiment& experiment, KnownNames known,
                PhaseConfig& phase) {
  const Node* node = section.take(
      "terms", "list of names", "", "",
      "what its loss is the sum of: names of transfers, \"task\"; absent: all of them");
  known.names.insert(known.names.begin(), std::string(names::kTask));
  std::vector<std::string> chosen;
  bool all = node == nullptr;
  if (node != nullptr) {
    Diagnostics& diagnostics = section.diagnostics();
    const std::vector<GivenName> given =
        read_name_list(*node, section.key_path("terms"), NameForm::List, diagnostics);
    for (const GivenName& each : given) {
      chosen.push_back(find_known(each, "term", known, diagnostics));
    }
    all = !are_all(given, *node) || is_among(chosen, "");
  }
  phase.task = all || is_among(chosen, std::string(names::kTask));
  for (const TransferConfig& transfer : experiment.transfers) {
    if (all || is_among(chosen, transfer.name)) phase.transfers.push_back(transfer.name);
  }
}

void read_phase(Section section, const Experiment& experiment, const PhaseNames& known,
                PhaseConfig& phase) {
  // A file need not have any: what `inspect experiment` prints is commented out.
  if (section.schema() != nullptr) section.refuse_rest("stands in a [[phase]]");
  phase.key = section.path();
  phase.place = section.place();
  phase.train = experiment.train;
  read_phase_name(section, experiment, phase);
  read_terms(section, experiment, known.transfers, phase);
  read_learn(section, experiment, known, phase);
  read_train(section.section("train", "overrides [train] key by key"), phase.train);
  section.finish();
}

std::vector<std::string> list_terms(const PhaseConfig& phase) {
  std::vector<std::string> terms;
  if (phase.task) terms.emplace_back(names::kTask);
  terms.insert(terms.end(), phase.transfers.begin(), phase.transfers.end());
  return terms;
}

}  // namespace

void read_phases(Section& root, Experiment& experiment) {
  const Node* node = root.take("phase");
  const Diagnostics& told = root.diagnostics();
  const PhaseNames known = {know_transfers(*root.node(), experiment.transfers, told),
                            know_networks(*root.node(), experiment, told).students};
  if (root.schema() != nullptr) {
    PhaseConfig unused;
    read_phase(Section(nullptr, "phase[0]", root.place(), root.diagnostics(), root.schema()),
               experiment, known, unused);
  }
  if (node == nullptr) return;
  if (!node->is(Node::Kind::List)) {
    root.diagnostics().add(node->place, subject("phase", *node),
                           "must be a list: write [[phase]] above each");
    return;
  }
  if (node->items.empty()) {
    root.diagnostics().add(node->place, "phase",
                           "must have at least one; write [[phase]] above each, or leave it out");
  }
  for (size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    PhaseConfig phase;
    read_phase(Section(&item, entry_path("phase", i), item.place, root.diagnostics()), experiment,
               known, phase);
    experiment.phases.push_back(std::move(phase));
  }
}

std::string write_phases(const std::vector<PhaseConfig>& phases) {
  std::string text;
  for (const PhaseConfig& phase : phases) {
    text += "\n[[phase]]\n" + write_line("name", write_value(phase.name)) +
            write_line("terms", write_list(list_terms(phase))) +
            write_line("learn", write_list(list_learners(phase))) + "\n[phase.train]\n" +
            write_train(phase.train);
  }
  return text;
}

}  // namespace retort::host::config
