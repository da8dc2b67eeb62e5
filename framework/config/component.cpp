#include "framework/config/component.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/base/suggest.hpp"

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
  const std::string hint = required ? "" : " (default " + toml_of(option, default_of(option)) + ")";
  switch (option.type) {
    case RETORT_OPTION_REAL:
      return read_real(node, path, range_of(option), value.emplace<double>(), hint, diagnostics);
    case RETORT_OPTION_INT:
      return read_integer(node, path, range_of(option), value.emplace<int64_t>(), hint,
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

Range range_of(const OptionInfo& option) {
  Range range;
  if ((option.flags & RETORT_OPTION_HAS_MIN) != 0) range.min = option.min;
  if ((option.flags & RETORT_OPTION_HAS_MAX) != 0) range.max = option.max;
  range.min_open = (option.flags & RETORT_OPTION_MIN_OPEN) != 0;
  range.max_open = (option.flags & RETORT_OPTION_MAX_OPEN) != 0;
  return range;
}

OptionValue default_of(const OptionInfo& option) {
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

std::string toml_of(const OptionInfo& option, const OptionValue& value) {
  if (const auto* real = std::get_if<double>(&value)) return real_text(*real);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return quote_text(*text);
  const int64_t integer = std::get<int64_t>(value);
  if (option.type != RETORT_OPTION_CHOICE) return std::to_string(integer);
  const bool known = integer >= 0 && static_cast<size_t>(integer) < option.choices.size();
  return quote_text(known ? option.choices[static_cast<size_t>(integer)] : "");
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
        section.place(), section.path_of(key),
        ids.empty() ? std::string("missing; no ") + kind_name(kind) + " is installed"
                    : "missing; one of: " + join(ids));
    return false;
  }
  choice.place = node->place;
  const ComponentInfo* info = node->is(Node::Kind::Text) ? catalog.find(kind, node->text) : nullptr;
  if (info == nullptr) {
    section.begin_unknown_options(
        node->place, subject(section.path_of(key), *node),
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
    OptionValue value = default_of(option);
    const Node* node = section.take(option.name);
    if (node != nullptr) {
      read_value(*node, section.path_of(option.name), option, value, section.diagnostics());
    } else if ((option.flags & RETORT_OPTION_REQUIRED) != 0) {
      section.diagnostics().add(section.place(), section.path_of(option.name),
                                "missing; " + choice.info.id + " needs it: " + type_name(option) +
                                    (option.help.empty() ? "" : ", " + option.help));
    }
    choice.options.push_back(std::move(value));
    choice.option_places.push_back(node != nullptr ? node->place : choice.place);
  }
}

}  // namespace retort::host::config
