#include "framework/config/component.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host {

std::string describe(const ComponentChoice& choice) {
  std::string text = choice.info.id;
  for (size_t i = 0; i < choice.options.size(); ++i) {
    const OptionInfo& option = choice.info.options[i];
    if (choice.options[i] == config::make_default(option)) continue;
    const std::string value = config::write_option(option, choice.options[i]);
    const bool choice_name = option.type == RETORT_OPTION_CHOICE;
    text += " " + option.name + "=" + (choice_name ? value.substr(1, value.size() - 2) : value);
  }
  return text;
}

}  // namespace retort::host

namespace retort::host::config {
namespace {

std::string type_name(const OptionInfo& option) {
  switch (option.type) {
    case RETORT_OPTION_REAL:
      return "a number";
    case RETORT_OPTION_INT:
      return "an integer";
    case RETORT_OPTION_BOOL:
      return "true or false";
    case RETORT_OPTION_TEXT:
      return "text";
    case RETORT_OPTION_CHOICE:
      return "one of " + join(option.choices);
  }
  return "a value";
}

std::vector<std::string> ids_of(const Catalog& catalog, retort_kind kind) {
  std::vector<std::string> ids;
  for (const ComponentInfo& info : catalog.components()) {
    if (info.kind == kind) ids.push_back(info.id);
  }
  return ids;
}

/// Why no component of that kind has this id, and which one may be meant.
std::string not_found(const std::string& id, retort_kind kind, const Catalog& catalog) {
  for (const ComponentInfo& info : catalog.components()) {
    if (info.id == id) {
      return std::string("is a ") + kind_name(info.kind) + ", not a " + kind_name(kind);
    }
  }
  const std::vector<std::string> ids = ids_of(catalog, kind);
  const std::string meant = nearest(id, ids);
  if (!meant.empty()) return "in no plugin; did you mean " + quote_text(meant) + "?";
  if (!ids.empty()) return "in no plugin; known: " + join(ids);
  return std::string("in no plugin; no ") + kind_name(kind) +
         " is installed (retort ls shows where plugins are looked for)";
}

bool read_value(const Node& node, const std::string& path, const OptionInfo& option,
                OptionValue& value, Diagnostics& diagnostics) {
  const bool required = (option.flags & RETORT_OPTION_REQUIRED) != 0;
  const std::string hint =
      required ? "" : " (default " + write_option(option, make_default(option)) + ")";
  switch (option.type) {
    case RETORT_OPTION_REAL:
      return read_real(node, path, make_range(option), value.emplace<double>(), hint, diagnostics);
    case RETORT_OPTION_INT:
      return read_integer(node, path, make_range(option), value.emplace<int64_t>(), hint,
                          diagnostics);
    case RETORT_OPTION_BOOL:
      return read_boolean(node, path, value.emplace<bool>(), hint, diagnostics);
    case RETORT_OPTION_TEXT:
      return read_text(node, path, value.emplace<std::string>(), hint, diagnostics);
    case RETORT_OPTION_CHOICE:
      return read_choice(node, path, option.choices, value.emplace<int64_t>(), hint, diagnostics);
  }
  return false;
}

}  // namespace

Range make_range(const OptionInfo& option) {
  Range range;
  if ((option.flags & RETORT_OPTION_HAS_MIN) != 0) range.min = option.min;
  if ((option.flags & RETORT_OPTION_HAS_MAX) != 0) range.max = option.max;
  range.min_open = (option.flags & RETORT_OPTION_MIN_OPEN) != 0;
  range.max_open = (option.flags & RETORT_OPTION_MAX_OPEN) != 0;
  return range;
}

OptionValue make_default(const OptionInfo& option) {
  switch (option.type) {
    case RETORT_OPTION_REAL:
      return option.default_real;
    case RETORT_OPTION_INT:
    case RETORT_OPTION_CHOICE:
      return option.default_int;
    case RETORT_OPTION_BOOL:
      return option.default_int != 0;
    case RETORT_OPTION_TEXT:
      return option.default_text;
  }
  return option.default_int;
}

std::string write_option(const OptionInfo& option, const OptionValue& value) {
  if (option.type != RETORT_OPTION_CHOICE) return write_value(value);
  const auto position = static_cast<size_t>(std::get<int64_t>(value));  // a huge one where negative
  return quote_text(position < option.choices.size() ? option.choices[position] : "");
}

std::string write_options(const ComponentChoice& choice) {
  std::string text;
  for (size_t i = 0; i < choice.options.size(); ++i) {
    const OptionInfo& option = choice.info.options[i];
    text += write_line(key_text(option.name), write_option(option, choice.options[i]));
  }
  return text;
}

bool read_component(Section& section, const std::string& key, retort_kind kind,
                    const Catalog& catalog, ComponentChoice& choice) {
  const Node* node = section.take(key, "text", "", "",
                                  std::string("id of a ") + kind_name(kind) +
                                      " (retort ls lists them); its own options stand beside it");
  if (node == nullptr) {
    if (!section.present()) return false;  // the missing section is told by who needs it
    const std::vector<std::string> ids = ids_of(catalog, kind);
    section.begin_unknown_options(
        section.place(), section.key_path(key),
        ids.empty() ? std::string("missing; no ") + kind_name(kind) + " is installed"
                    : "missing; one of: " + join(ids));
    return false;
  }
  choice.place = node->place;
  const ComponentInfo* info = node->is(Node::Kind::Text) ? catalog.find(kind, node->text) : nullptr;
  if (info == nullptr) {
    section.begin_unknown_options(
        node->place, subject(section.key_path(key), *node),
        node->is(Node::Kind::Text)
            ? not_found(node->text, kind, catalog)
            : std::string("must be text in quotes, not ") + describe(node->kind));
    return false;
  }
  choice.info = *info;
  return true;
}

void read_options(Section& section, ComponentChoice& choice) {
  section.begin_options();
  choice.options.clear();
  choice.option_places.clear();
  for (const OptionInfo& option : choice.info.options) {
    OptionValue value = make_default(option);
    const Node* node = section.take(option.name);
    if (node != nullptr) {
      read_value(*node, section.key_path(option.name), option, value, section.diagnostics());
    } else if ((option.flags & RETORT_OPTION_REQUIRED) != 0) {
      section.diagnostics().add(section.place(), section.key_path(option.name),
                                "missing; " + choice.info.id + " needs it: " + type_name(option) +
                                    (option.help.empty() ? "" : ", " + option.help));
    }
    choice.options.push_back(std::move(value));
    choice.option_places.push_back(node != nullptr ? node->place : choice.place);
  }
}

}  // namespace retort::host::config
