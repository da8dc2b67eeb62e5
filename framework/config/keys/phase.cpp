#include "framework/config/keys/phase.hpp"

#include <algorithm>
#include <utility>

#include "framework/base/names.hpp"
#include "framework/config/experiment.hpp"
#include "framework/config/keys/learn.hpp"
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
    diagnostics.add(section.place(), path, "missing; it names files: name = \"hint\"");
  } else if (check_name(*node, path, diagnostics)) {
    const std::string wrong = check_phase_name(phase.name, experiment);
    if (!wrong.empty()) diagnostics.add(node->place, subject(path, *node), wrong);
  }
}

void read_terms(Section& section, const Experiment& experiment, PhaseConfig& phase) {
  const Node* node = section.take(
      "terms", "list of names", "", "",
      "what its loss is the sum of: names of transfers, \"task\"; absent: all of them");
  std::vector<std::string> known = list_names(experiment.transfers);
  // A name that is not known may be that of a transfer whose strategy is not, which has none.
  const bool all_named = std::erase(known, "") == 0;
  known.insert(known.begin(), std::string(names::kTask));
  std::vector<std::string> chosen = known;
  if (!all_named) chosen.emplace_back();
  if (node != nullptr) {
    Diagnostics& diagnostics = section.diagnostics();
    chosen.clear();
    for (const GivenName& given :
         read_name_list(*node, section.key_path("terms"), NameForm::List, diagnostics)) {
      const bool may_be_unnamed = !all_named && !is_among(known, given.name);
      chosen.push_back(may_be_unnamed ? "" : find_known(given, "term", known, diagnostics));
    }
  }
  phase.task = is_among(chosen, std::string(names::kTask));
  for (const TransferConfig& transfer : experiment.transfers) {
    if (is_among(chosen, transfer.name)) phase.transfers.push_back(transfer.name);
  }
}

void read_phase(Section section, const Experiment& experiment, PhaseConfig& phase) {
  // A file need not have any: what `inspect experiment` prints is commented out.
  if (section.schema() != nullptr) section.refuse_rest("stands in a [[phase]]");
  phase.key = section.path();
  phase.place = section.place();
  phase.train = experiment.train;
  read_phase_name(section, experiment, phase);
  read_terms(section, experiment, phase);
  read_learn(section, experiment, phase);
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
  if (root.schema() != nullptr) {
    PhaseConfig unused;
    read_phase(Section(nullptr, "phase[0]", root.place(), root.diagnostics(), root.schema()),
               experiment, unused);
  }
  if (node == nullptr) return;
  if (!node->is(Node::Kind::List)) {
    root.diagnostics().add(node->place, subject("phase", *node),
                           "must be a list: write [[phase]] above each");
    return;
  }
  for (size_t i = 0; i < node->items.size(); ++i) {
    const Node& item = node->items[i];
    PhaseConfig phase;
    read_phase(Section(&item, entry_path("phase", i), item.place, root.diagnostics()), experiment,
               phase);
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
