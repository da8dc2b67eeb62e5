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
  for (const config::KeyInfo& key : experiment_keys()) {
    const size_t dot = key.path.find('.');
    const bool root = dot == std::string::npos;
    std::string header = root ? "" : "\n[" + key.path.substr(0, dot) + "]\n";
    if (header == "\n[transfer[0]]\n") header = "\n[[transfer]]\n";
    if (header != section) {
      text += section + commented(rows);
      section = header;
      rows.clear();
    }
    const bool active = key.applies && !key.default_value.empty();
    rows.emplace_back(
        (active ? "" : "# ") + key.path.substr(root ? 0 : dot + 1) + " = " + key.default_value,
        key.type + (key.accepted.empty() ? "" : " " + key.accepted) + "; " + key.text);
  }
  return text + section + commented(rows);
}

}  // namespace retort::host
