#include "framework/config/keys/network.hpp"

#include <algorithm>
#include <utility>

#include "framework/base/names.hpp"
#include "framework/config/enum_names.hpp"
#include "framework/config/name_list.hpp"
#include "framework/config/toml_writer.hpp"
#include "framework/plugin/built_in.hpp"

namespace retort::host::config {
namespace {

constexpr EnumNames<NetworkRole, 2> kRoleNames = {{"teacher", "student"}};
constexpr EnumNames<TeacherMode, 2> kModeNames = {{"evaluate", "train"}};

/// Names of the host's own numbers, phases and states, which name files and rows as networks do.
bool is_host_name(const std::string& name) {
  return std::find(names::kAll.begin(), names::kAll.end(), name) != names::kAll.end() ||
         name.starts_with(std::string(names::kAlone) + ".");
}

void read_network_name(Section& section, NetworkRole role, size_t count, NetworkConfig& network) {
  const std::string usual = kRoleNames[role];
  network.name = count > 1 ? "" : usual;
  const Node* node =
      section.text("name", network.name,
                   "in files, metrics and messages; each of several, [[" + usual + "]], needs one");
  const std::string path = section.key_path("name");
  Diagnostics& diagnostics = section.diagnostics();
  if (node == nullptr) {
    if (count < 2 || !section.present() || section.node()->find("name") != nullptr) return;
    diagnostics.add(section.place(), path,
                    "missing; there are " + std::to_string(count) +
                        ", and each needs one: name = " + quote_text(usual + ".2"));
  } else if (check_name(*node, path, diagnostics) && network.name != usual &&
             is_host_name(network.name)) {
    diagnostics.add(node->place, subject(path, *node),
                    "is what the host calls a network, phase or value of its own; give it another "
                    "name: name = " +
                        quote_text("my." + network.name));
  }
}

/// The height and width of a view, as messages say it.
std::string size_text(const ViewConfig* view) {
  if (view == nullptr || view->size == 0) return "has the data's size";
  return "has " + std::to_string(view->size) + " pixels";
}

void read_seen_views(Section& section, const DataConfig& data, NetworkConfig& network) {
  const Node* node =
      section.take("views", "list of names", "", write_list(network.views),
                   "the views that it sees; the first is that of the task and of evaluation");
  if (node == nullptr) return;
  const std::string path = section.key_path("views");
  Diagnostics& diagnostics = section.diagnostics();
  std::vector<std::string> views;
  for (const GivenName& given : read_name_list(*node, path, NameForm::List, diagnostics)) {
    const std::string view = find_known(given, "view", list_views(data), diagnostics);
    if (view.empty()) continue;
    views.push_back(view);
    const std::string first = size_text(data.find_view(views.front()));
    const std::string here = size_text(data.find_view(view));
    if (here == first) continue;
    diagnostics.add(given.node->place, subject(given.path, *given.node),
                    here + " and " + quote_text(views.front()) + " " +
                        first.substr(std::string("has ").size()) +
                        "; a network is built for one size");
  }
  if (!views.empty()) network.views = std::move(views);
}

void read_mode(Section& section, NetworkRole role, NetworkConfig& network) {
  if (role == NetworkRole::Teacher) {
    kModeNames.read(section, "mode", network.mode,
                    "while it teaches: as in evaluation, or with the statistics of each batch");
  } else {
    section.refuse("mode", "a student is trained in training mode; only a teacher has a choice");
  }
}

/// A path is relative to the file that it stands in; one from the command line to the current
/// folder.
void read_weights(Section& section, NetworkConfig& network) {
  std::string text;
  const Node* node = section.path(
      "weights", PathFrom::File, text,
      "safetensors file to start from (a teacher is then not trained), relative to this file");
  if (node == nullptr) return;
  network.weights = find_file(*node, text, subject(section.key_path("weights"), *node),
                              "a .safetensors file", section.diagnostics());
  network.weights_place = node->place;
}

void read_rename(Section section, bool has_weights, NetworkConfig& network) {
  if (!section.present()) return;
  if (!has_weights) {
    section.diagnostics().add(section.place(), section.path(),
                              "renames parameters of a weights file; there is no weights key");
  }
  for (const Node& item : section.node()->items) {
    std::string& to = network.rename[item.key];
    read_text(item, section.key_path(item.key), to, "", section.diagnostics());
    const std::string undotted = item.key.substr(0, item.key.size() - 1);
    if (item.key.ends_with('.') && section.node()->find(undotted) != nullptr) {
      section.diagnostics().add(
          item.key_place, section.key_path(item.key),
          "is the same beginning as \"" + undotted + "\"; keep one of the two");
    }
  }
}

/// Whether the command line brings weights to a teacher whose recipe stands in the file.
bool supersedes_train(const Section& section, const NetworkConfig& network) {
  const Node* train = section.present() ? section.node()->find("train") : nullptr;
  return network.weights_place.line == 0 && train != nullptr && train->place.line > 0;
}

void read_own_train(Section& section, NetworkRole role, NetworkConfig& network) {
  if (role == NetworkRole::Student) {
    section.refuse("train", "the student is trained as [train] says; move the keys there");
  } else if (network.weights && !supersedes_train(section, network)) {
    section.refuse("train", "the weights are loaded and the teacher is not trained; remove one");
  } else {
    network.program.trained = !network.program.file.empty() && section.present() &&
                              section.node()->find("train") == nullptr &&
                              network.program.start == ProgramStart::File;
    read_train(section.section("train", "overrides [train] key by key"), network.train);
  }
}

void read_network(Section section, NetworkRole role, size_t count, const Catalog& catalog,
                  const DataConfig& data, NetworkConfig& network) {
  network.key = section.path();
  network.place = section.place();
  const bool known = read_component(section, "model", RETORT_KIND_MODEL, catalog, network.model);
  if (known || section.schema() != nullptr) {
    read_program(section, is_exported(network.model.info), network.program);
    // What messages name, and what is hashed, is the file that holds the network.
    if (!network.program.file.empty()) network.model.info.file = network.program.file;
  }
  read_network_name(section, role, count, network);
  read_weights(section, network);
  const bool has_weights = section.present() && section.node()->find("weights") != nullptr;
  read_rename(section.section(
                  "rename",
                  "a name's beginning in the weights file, up to a dot = in the model; \"\": none"),
              has_weights, network);
  read_normalize(section.section("normalize"), network.normalize);
  read_seen_views(section, data, network);
  read_mode(section, role, network);
  read_own_train(section, role, network);
  section.reserve("host");
  if (known) read_options(section, network.model);
  section.finish();
}

std::string write_network(NetworkRole role, size_t count, const NetworkConfig& network) {
  const std::string section = kRoleNames[role];
  std::string text = count > 1 ? "\n[[" + section + "]]\n" : "\n[" + section + "]\n";
  if (!network.name.empty() && (count > 1 || network.name != section)) {
    text += write_line("name", write_value(network.name));
  }
  text += write_line("model", write_value(network.model.info.id)) + write_options(network.model);
  text += write_program(network.program);
  if (network.weights) text += write_line("weights", write_value(network.weights->string()));
  std::vector<std::string> renames;
  for (const auto& [from, to] : network.rename) {
    renames.push_back(write_entry(key_text(from), write_value(to)));
  }
  if (!renames.empty()) text += write_line("rename", write_braces(renames));
  text += write_normalize(network.normalize);
  if (network.views != NetworkConfig().views)
    text += write_line("views", write_list(network.views));
  if (network.mode != NetworkConfig().mode) {
    text += write_line("mode", write_value(kModeNames[network.mode]));
  }
  const bool is_trained_its_own_way = role == NetworkRole::Teacher && network.given().empty();
  if (is_trained_its_own_way) text += "\n[" + section + ".train]\n" + write_train(network.train);
  return text;
}

}  // namespace

void read_networks(Section& root, NetworkRole role, const Catalog& catalog, const DataConfig& data,
                   const TrainConfig& train, std::vector<NetworkConfig>& networks) {
  const std::string key = kRoleNames[role];
  const Node* node = root.take(key);
  const auto read = [&](const Node* table, const std::string& path, size_t count,
                        NetworkConfig& network) {
    network.train = train;
    read_network(Section(table, path, root.place(), root.diagnostics(), root.schema()), role, count,
                 catalog, data, network);
  };
  if (root.schema() != nullptr) {
    NetworkConfig unused;
    read(nullptr, key, 1, unused);
  }
  if (node == nullptr) return;
  if (!node->is(Node::Kind::List)) return read(node, key, 1, networks.emplace_back());
  const size_t count = node->items.size();
  if (count == 0) {
    root.diagnostics().add(node->place, key, "must have at least one; write [" + key + "]");
  }
  for (size_t i = 0; i < count; ++i) {
    read(&node->items[i], entry_path(key, i), count, networks.emplace_back());
  }
}

std::string write_networks(NetworkRole role, const std::vector<NetworkConfig>& networks) {
  std::string text;
  for (const NetworkConfig& network : networks) {
    text += write_network(role, networks.size(), network);
  }
  return text;
}

std::vector<std::string> list_names(const std::vector<NetworkConfig>& networks) {
  std::vector<std::string> names;
  for (const NetworkConfig& network : networks) {
    if (!network.name.empty()) names.push_back(network.name);
  }
  return names;
}

}  // namespace retort::host::config
