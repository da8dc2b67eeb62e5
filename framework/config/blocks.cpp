#include "framework/config/blocks.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/component.hpp"
#include "framework/config/schema.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host {
namespace {

using config::key_text;
using config::quote_text;
using config::write_entry;
using config::write_list;

/// A line before its comment, and the comment.
using Row = std::pair<std::string, std::string>;

/// What may stand there and what it does: "integer >= 8 (layers); the number of layers".
std::string comment_of(const OptionInfo& option) {
  std::string text;
  const std::string range = describe(config::make_range(option));
  if (option.type == RETORT_OPTION_CHOICE) {
    text = "one of " + join(option.choices);
  } else if (option.type == RETORT_OPTION_INT) {
    text = "integer";
  }
  if (!range.empty()) text += (text.empty() ? "" : " ") + range;
  if (!option.unit.empty()) text += (text.empty() ? "" : ", ") + ("in " + option.unit);
  if (!option.help.empty()) text += (text.empty() ? "" : "; ") + option.help;
  return text;
}

/// key = value lines with their comments in one column.
std::string commented(const std::vector<Row>& rows) {
  size_t width = 0;
  for (const auto& [code, comment] : rows) width = std::max(width, code.size());
  std::string text;
  for (const auto& [code, comment] : rows) {
    text += code;
    if (!comment.empty()) text += std::string(width - code.size() + 2, ' ') + "# " + comment;
    text += "\n";
  }
  return text;
}

/// The default taps of a strategy.
Row bind_row(const ComponentInfo& info) {
  const std::string student = write_list(info.bind_student);
  const bool same = info.bind_teacher.empty() || info.bind_teacher == info.bind_student;
  const std::string taps =
      same ? student
           : config::write_braces({write_entry("student", student),
                                   write_entry("teacher", write_list(info.bind_teacher))});
  return {write_entry("bind", taps), "the taps that are compared"};
}

/// The table beneath whose header a key stands, "" for the file itself, and the key there.
std::pair<std::string, std::string> split_path(const std::string& path) {
  const std::string view = "data.views.NAME";
  const size_t dot = path.starts_with(view) ? view.size() : path.find('.');
  if (dot == std::string::npos) return {"", path};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

/// The header of a table: [train], or [[transfer]] for the entries of a list; as a comment where
/// nothing below it is set.
std::string section_line(const std::string& table, bool any_active) {
  const std::string of_list = "[0]";
  const bool list = table.ends_with(of_list);
  const std::string name = list ? table.substr(0, table.size() - of_list.size()) : table;
  return (any_active ? "" : "# ") + (list ? "[[" + name + "]]" : "[" + name + "]") + "\n";
}

}  // namespace

std::string option_block(const ComponentInfo& info) {
  std::string header = "[student]\nmodel";
  if (info.kind == RETORT_KIND_DATASET) header = "[data]\ndataset";
  if (info.kind == RETORT_KIND_STRATEGY) header = "[[transfer]]\nstrategy";
  std::vector<Row> rows;
  for (const OptionInfo& option : info.options) {
    const std::string key = key_text(option.name);
    const std::string comment = comment_of(option);
    if ((option.flags & RETORT_OPTION_REQUIRED) != 0) {
      rows.emplace_back("# " + key + " =", "required" + (comment.empty() ? "" : ": " + comment));
    } else {
      const std::string value = config::write_option(option, config::make_default(option));
      rows.emplace_back(write_entry(key, value), comment);
    }
  }
  if (info.kind == RETORT_KIND_STRATEGY) {
    rows.insert(rows.begin(), {"weight = 1", "or { from = 1, to = 0, epochs = [1, 2] }"});
    if (!info.bind_student.empty()) rows.push_back(bind_row(info));
  }
  return header + " = " + quote_text(info.id) + "\n" + commented(rows);
}

std::string experiment_block() {
  std::string text;
  std::string section;
  std::vector<Row> rows;
  bool any_active = true;  // of the section's keys
  const auto add_section = [&] {
    const std::string header = section.empty() ? "" : "\n" + section_line(section, any_active);
    text += header + commented(rows);
    rows.clear();
    any_active = false;
  };
  for (const config::KeyInfo& key : experiment_keys()) {
    const auto [table, name] = split_path(key.path);
    if (table != section) {
      add_section();
      section = table;
    }
    const bool active = key.applies && !key.default_value.empty();
    any_active |= active;
    rows.emplace_back(
        (active ? "" : "# ") + name + " = " + key.default_value,
        key.type + (key.accepted.empty() ? "" : " " + key.accepted) + "; " + key.text);
  }
  add_section();
  return text;
}

}  // namespace retort::host
