#include "framework/config/paths.hpp"

#include <algorithm>
#include <sstream>
#include <system_error>
#include <utility>

#include "framework/config/schema.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

namespace fs = std::filesystem;
using config::Node;
using config::PathFrom;
using config::quote_text;

bool exists_at(const fs::path& path) {
  std::error_code none;
  return fs::exists(path, none);
}

/// Symbolic links are followed where ".." needs it.
fs::path absolute_path(const fs::path& path, const fs::path& start) {
  const fs::path whole = start / path;
  const bool up =
      !start.empty() && std::find(path.begin(), path.end(), fs::path("..")) != path.end();
  std::error_code failed;
  const fs::path followed = up ? fs::weakly_canonical(whole, failed) : whole.lexically_normal();
  const fs::path result = failed ? whole : followed;
  return result.has_filename() ? result : result.parent_path();
}

/// The path from `start` on, or empty where it does not lie there.
fs::path path_below(const fs::path& path, const fs::path& start) {
  if (start.empty()) return {};
  const auto [rest, end] = std::mismatch(path.begin(), path.end(), start.begin(), start.end());
  if (end != start.end()) return {};
  fs::path below;
  for (auto part = rest; part != path.end(); ++part) below /= *part;
  return below.empty() ? fs::path(".") : below;
}

bool is_path_text(const std::string& text) {
  return !text.empty() && text.find("://") == std::string::npos;
}

/// A path of a resolved experiment as portable_text() writes it.
std::string portable_path(const std::string& text, const fs::path& start) {
  if (!is_path_text(text)) return text;
  if (start.empty()) return fs::path(text).is_absolute() ? text : absolute_path(text, {}).string();
  const fs::path whole = absolute_path(text, start);
  const fs::path below = path_below(whole, start);
  return below.empty() ? whole.string() : below.string();
}

constexpr const char* kOut = "run.out";  // the folder of a run lies in it, which tells where it was

/// The keys of the host that are paths, as their readers declare them.
const config::Schema& path_keys() {
  static const config::Schema keys = [] {
    config::Schema all = experiment_keys();
    std::erase_if(all,
                  [](const config::KeyInfo& key) { return key.path_from == PathFrom::NoPath; });
    return all;
  }();
  return keys;
}

/// Whether a line of a resolved experiment, `key = "..."` below the header "[section]", holds a path.
bool holds_path(const std::string& header, const std::string& key) {
  if (header == "[data]" && is_path_name(key)) return true;
  const size_t begin = std::min(header.find_first_not_of('['), header.size());  // of one or a list
  const std::string section = header.substr(begin, header.find(']') - begin);
  return std::any_of(path_keys().begin(), path_keys().end(),
                     [&](const config::KeyInfo& info) { return info.path == section + "." + key; });
}

struct PathNode {
  Node* node;
  PathFrom from;
};

/// The values of "teacher.weights": of [teacher], or of each [[teacher]].
std::vector<Node*> find_values(Node& tree, const std::string& path) {
  const size_t dot = path.find('.');
  Node* section = tree.find(path.substr(0, dot));
  std::vector<Node*> found;
  if (section == nullptr) return found;
  const std::string key = path.substr(dot + 1);
  if (!section->is(Node::Kind::List)) {
    found.push_back(section->find_path(key));
  } else {
    for (Node& item : section->items) found.push_back(item.find_path(key));
  }
  std::erase(found, nullptr);
  return found;
}

/// The paths of an experiment.toml, but for run.out.
std::vector<PathNode> find_path_nodes(Node& tree) {
  std::vector<PathNode> found;
  if (Node* data = tree.find("data")) {
    for (Node& item : data->items) {
      if (item.is(Node::Kind::Text) && is_path_name(item.key) && is_path_text(item.text)) {
        found.push_back({&item, PathFrom::Start});
      }
    }
  }
  for (const config::KeyInfo& key : path_keys()) {
    if (key.path == kOut) continue;
    for (Node* node : find_values(tree, key.path)) {
      if (node->is(Node::Kind::Text)) found.push_back({node, key.path_from});
    }
  }
  return found;
}

/// run.out of a tree, as it was relative to the recorded start.
fs::path find_out(const Node& tree, const fs::path& recorded) {
  const Node* out = tree.find_path(kOut);
  if (out == nullptr || !out->is(Node::Kind::Text)) return {};
  const fs::path path = out->text;
  return path.is_absolute() ? path_below(path, recorded) : path;
}

/// run.out of a run folder's tree: where the folder lies, or else as it was at the start.
void anchor_out(Node& tree, const RunStart& start) {
  const fs::path out = find_out(tree, start.recorded);
  if (out.empty()) return;
  const fs::path whole =
      absolute_path(out, start.around.empty() ? start.searched.front() : start.around);
  if (is_utf8(whole.string())) tree.find_path(kOut)->text = whole.string();
}

}  // namespace

fs::path working_directory() {
  std::error_code removed;
  return fs::current_path(removed);
}

bool is_path_name(std::string_view name) {
  for (const std::string_view word : {"root", "file", "path", "folder", "directory", "dir"}) {
    if (name == word) return true;
    if (name.size() > word.size() && name.ends_with(word) &&
        name[name.size() - word.size() - 1] == '_') {
      return true;
    }
  }
  return false;
}

Experiment with_absolute_paths(Experiment experiment, const fs::path& start) {
  ComponentChoice& dataset = experiment.data.dataset;
  for (size_t i = 0; i < dataset.options.size(); ++i) {
    auto* text = std::get_if<std::string>(&dataset.options[i]);
    const OptionInfo& option = dataset.info.options[i];
    if (text == nullptr || option.type != RETORT_OPTION_TEXT || !is_path_name(option.name))
      continue;
    if (!is_path_text(*text)) continue;
    const fs::path whole = absolute_path(*text, start);
    if (exists_at(whole) && is_utf8(whole.string())) *text = whole.string();
  }
  const fs::path out = absolute_path(experiment.run.out, start);
  if (is_utf8(out.string())) experiment.run.out = out;
  return experiment;
}

std::string portable_text(const std::string& toml, const fs::path& start) {
  std::string text, section;
  std::istringstream lines(toml);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[")) section = line;
    const size_t equals = line.find(" = \"");
    const bool path = equals != std::string::npos && line.ends_with('"') &&
                      line.find('\\') == std::string::npos &&
                      holds_path(section, line.substr(0, equals));
    if (path) {
      const size_t begin = equals + 4;
      const std::string value = line.substr(begin, line.size() - begin - 1);
      line = line.substr(0, equals + 3) + quote_text(portable_path(value, start));
    }
    text += line + "\n";
  }
  return text;
}

RunStart find_start(const Node& tree, const fs::path& folder, const fs::path& recorded) {
  RunStart start;
  start.recorded = recorded;
  const fs::path here = working_directory();
  std::error_code none;  // one that may not be looked at counts as none
  const bool known = !recorded.empty() && fs::is_directory(recorded, none);
  start.searched.push_back(known ? recorded : here);

  // OUT/NAME/001: what stands before OUT, where OUT is relative.
  const fs::path out = absolute_path(find_out(tree, recorded), {});
  std::vector<fs::path> parts(out.begin(), out.end());
  fs::path above = absolute_path(folder, here).parent_path().parent_path();
  while (!parts.empty() && parts.back() == above.filename()) {
    parts.pop_back();
    above = above.parent_path();
  }
  if (!out.empty() && parts.empty()) {
    start.around = above;
    start.searched.push_back(above);
  }
  if (known) start.searched.push_back(here);
  return start;
}

std::vector<const Node*> anchor_paths(Node& tree, const RunStart& start) {
  std::vector<const Node*> lost;
  for (const auto& [node, from] : find_path_nodes(tree)) {
    fs::path path = node->text;
    if (path.is_absolute()) {
      if (exists_at(path)) continue;
      path = path_below(path, start.recorded);
      if (path.empty()) continue;
    } else if (from == PathFrom::File) {
      continue;  // as elsewhere
    }
    const auto found = std::find_if(start.searched.begin(), start.searched.end(),
                                    [&](const fs::path& at) { return exists_at(at / path); });
    if (found == start.searched.end()) {
      lost.push_back(node);
    } else if (const fs::path whole = absolute_path(path, *found); is_utf8(whole.string())) {
      node->text = whole.string();
    }
  }
  anchor_out(tree, start);
  return lost;
}

}  // namespace retort::host
