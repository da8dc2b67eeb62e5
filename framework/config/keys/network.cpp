#include "framework/config/keys/network.hpp"

#include <system_error>
#include <utility>

#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

namespace fs = std::filesystem;

constexpr EnumNames<NetworkRole, 2> kRoleNames = {{"teacher", "student"}};

/// A path is relative to the file that it stands in; one from the command line to the current
/// folder.
void read_weights(Section& section, NetworkConfig& network) {
  std::string text;
  const Node* node = section.path(
      "weights", PathFrom::File, text,
      "safetensors file to start from (a teacher is then not trained), relative to this file");
  if (node == nullptr) return;
  const bool from_file = node->place.line > 0;
  const fs::path folder = from_file ? fs::path(node->place.file).parent_path() : fs::path();
  std::error_code error;
  const fs::path path = fs::absolute(folder / text, error).lexically_normal();
  network.weights = path;
  network.weights_place = node->place;
  const std::string what = subject(section.key_path("weights"), *node);
  if (text.empty() || !fs::exists(path, error)) {
    section.diagnostics().add(node->place, what,
                              "not found (tried " + path.string() + "); a path is relative to " +
                                  (from_file ? "the file it stands in" : "the current folder"));
  } else if (!fs::is_regular_file(path, error)) {
    section.diagnostics().add(node->place, what, "not a file; name a .safetensors file");
  }
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
    read_train(section.section("train", "overrides [train] key by key"), network.train);
  }
}

}  // namespace

void read_network(Section section, NetworkRole role, const Catalog& catalog,
                  NetworkConfig& network) {
  const bool known = read_component(section, "model", RETORT_KIND_MODEL, catalog, network.model);
  read_weights(section, network);
  const bool has_weights = section.present() && section.node()->find("weights") != nullptr;
  read_rename(section.section(
                  "rename",
                  "a name's beginning in the weights file, up to a dot = in the model; \"\": none"),
              has_weights, network);
  read_normalize(section.section("normalize"), network.normalize);
  read_own_train(section, role, network);
  for (const char* key : {"name", "mode", "host"}) section.reserve(key);
  if (known) read_options(section, network.model);
  section.finish();
}

std::string write_network(NetworkRole role, const NetworkConfig& network) {
  const std::string section = kRoleNames[role];
  std::string text = "\n[" + section + "]\n" +
                     write_line("model", write_value(network.model.info.id)) +
                     write_options(network.model);
  if (network.weights) text += write_line("weights", write_value(network.weights->string()));
  std::vector<std::string> renames;
  for (const auto& [from, to] : network.rename) {
    renames.push_back(write_entry(key_text(from), write_value(to)));
  }
  if (!renames.empty()) text += write_line("rename", write_braces(renames));
  text += write_normalize(network.normalize);
  const bool is_trained_its_own_way = role == NetworkRole::Teacher && !network.weights;
  if (is_trained_its_own_way) text += "\n[" + section + ".train]\n" + write_train(network.train);
  return text;
}

}  // namespace retort::host::config
