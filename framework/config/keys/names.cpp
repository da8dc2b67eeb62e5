#include "framework/config/keys/names.hpp"

#include <cctype>

#include "framework/config/experiment.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

/// The file's name as an experiment's name: "My run.toml" gives "My_run".
std::string make_name(const std::filesystem::path& file) {
  std::string name = file.stem().string().substr(0, 100);
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || (!std::isalnum(byte) && c != '.' && c != '-')) c = '_';
  }
  if (name.empty() || name[0] == '.' || name[0] == '-') name = "experiment" + name;
  return name;
}

}  // namespace

void read_names(Section& root, Experiment& experiment) {
  // load_tree has followed it; still a key that may be meant
  root.take("extends", "text", "", "",
            "the file beneath this one: tables merge, all else replaces");
  experiment.name = root.schema() == nullptr ? make_name(experiment.file) : "";
  const Node* node =
      root.text("name", experiment.name, "names the run folder; absent: the file's name");
  if (node != nullptr) check_name(*node, "name", root.diagnostics());
}

std::string write_names(const Experiment& experiment) {
  return write_line("name", write_value(experiment.name));
}

}  // namespace retort::host::config
