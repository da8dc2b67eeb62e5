#include "framework/config/section.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/base/suggest.hpp"

namespace retort::host::config {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool in_range(const Node& node, const std::string& path, const Range& range, double value,
              const std::string& hint, Diagnostics& diagnostics) {
  if (range.holds(value)) return true;
  diagnostics.add(node.place, subject(path, node), "must be " + describe(range) + hint);
  return false;
}

std::string default_hint(const std::string& value) { return " (default " + value + ")"; }

}  // namespace

bool Range::holds(double value) const {
  if (min && (min_open ? value <= *min : value < *min)) return false;
  return !max || (max_open ? value < *max : value <= *max);
}

std::string describe(const Range& range) {
  std::string text;
  if (range.min) text = (range.min_open ? "> " : ">= ") + real_text(*range.min);
  if (range.min && range.max) text += " and ";
  if (range.max) text += (range.max_open ? "< " : "<= ") + real_text(*range.max);
  return text;
}

void wrong_type(const Node& node, const std::string& path, const std::string& wanted,
                const std::string& hint, Diagnostics& diagnostics) {
  diagnostics.add(node.place, subject(path, node),
                  "must be " + wanted + ", not " + describe(node.kind) + hint);
}

bool read_integer(const Node& node, const std::string& path, const Range& range, int64_t& value,
                  const std::string& hint, Diagnostics& diagnostics) {
  if (!node.is(Node::Kind::Integer)) {
    // 3.0 is refused too: whoever writes 2.5 epochs next must not get 2.
    const bool whole = node.is(Node::Kind::Real) && std::abs(node.real) < 1e15 &&
                       node.real == std::floor(node.real);
    const std::string remedy = whole ? "; write " + real_text(node.real) : hint;
    wrong_type(node, path, "an integer", remedy, diagnostics);
    return false;
  }
  if (!in_range(node, path, range, static_cast<double>(node.integer), hint, diagnostics)) {
    return false;
  }
  value = node.integer;
  return true;
}

bool read_real(const Node& node, const std::string& path, const Range& range, double& value,
               const std::string& hint, Diagnostics& diagnostics) {
  double number = node.real;
  if (node.is(Node::Kind::Integer)) {
    number = static_cast<double>(node.integer);
  } else if (!node.is(Node::Kind::Real)) {
    wrong_type(node, path, "a number", hint, diagnostics);
    return false;
  }
  if (!std::isfinite(number)) {
    diagnostics.add(node.place, subject(path, node), "must be a finite number" + hint);
    return false;
  }
  if (!in_range(node, path, range, number, hint, diagnostics)) return false;
  value = number;
  return true;
}

bool read_boolean(const Node& node, const std::string& path, bool& value, const std::string& hint,
                  Diagnostics& diagnostics) {
  if (!node.is(Node::Kind::Boolean)) {
    wrong_type(node, path, "true or false", hint, diagnostics);
    return false;
  }
  value = node.boolean;
  return true;
}

bool read_text(const Node& node, const std::string& path, std::string& value,
               const std::string& hint, Diagnostics& diagnostics) {
  if (!node.is(Node::Kind::Text)) {
    wrong_type(node, path, "text in quotes", hint, diagnostics);
    return false;
  }
  if (node.text.find('\0') != std::string::npos) {
    diagnostics.add(node.place, subject(path, node), "must not hold a zero byte" + hint);
    return false;
  }
  value = node.text;
  return true;
}

bool read_choice(const Node& node, const std::string& path, const std::vector<std::string>& choices,
                 int64_t& position, const std::string& hint, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (const std::string& choice : choices) names.push_back(quote_text(choice));
  if (!node.is(Node::Kind::Text)) {
    wrong_type(node, path, "one of " + join(names), hint, diagnostics);
    return false;
  }
  const auto found = std::find(choices.begin(), choices.end(), node.text);
  if (found != choices.end()) {
    position = found - choices.begin();
    return true;
  }
  const std::string meant = nearest(node.text, choices);
  diagnostics.add(node.place, subject(path, node),
                  "must be one of " + join(names) + hint +
                      (meant.empty() ? "" : "; did you mean " + quote_text(meant) + "?"));
  return false;
}

Section::Section(const Node* node, std::string path, const Place& fallback,
                 Diagnostics& diagnostics, Schema* schema)
    : node_(node),
      path_(std::move(path)),
      place_(fallback),
      diagnostics_(diagnostics),
      schema_(schema) {
  if (node_ == nullptr) return;
  place_ = node_->place;
  if (node_->is(Node::Kind::Table)) return;
  wrong_type(*node_, path_, "a table", "", diagnostics_);
  node_ = nullptr;
}

std::string Section::path_of(const std::string& key) const {
  return path_.empty() ? key_text(key) : path_ + "." + key_text(key);
}

const Node* Section::take(const std::string& key) {
  if (!applies_) {
    refuse(key, why_not_);
    return nullptr;
  }
  (reading_options_ ? options_ : host_keys_).push_back(key);
  return node_ == nullptr ? nullptr : node_->find(key);
}

const Node* Section::take(const std::string& key, const std::string& type,
                          const std::string& accepted, const std::string& default_value,
                          const std::string& help) {
  if (schema_ != nullptr) {
    schema_->push_back({path_of(key), type, accepted, default_value, help, applies_});
  }
  return take(key);
}

const Node* Section::integer(const std::string& key, const Range& range, int64_t& value,
                             const std::string& help) {
  const std::string before = std::to_string(value);
  const Node* node = take(key, "integer", describe(range), before, help);
  const bool good = node != nullptr && read_integer(*node, path_of(key), range, value,
                                                    default_hint(before), diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::real(const std::string& key, const Range& range, double& value,
                          const std::string& help) {
  const std::string before = real_text(value);
  const Node* node = take(key, "number", describe(range), before, help);
  const bool good = node != nullptr && read_real(*node, path_of(key), range, value,
                                                 default_hint(before), diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::boolean(const std::string& key, bool& value, const std::string& help) {
  const std::string before = value ? "true" : "false";
  const Node* node = take(key, "true or false", "", before, help);
  const bool good = node != nullptr &&
                    read_boolean(*node, path_of(key), value, default_hint(before), diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::text(const std::string& key, std::string& value, const std::string& help) {
  const Node* node = take(key, "text", "", value.empty() ? "" : quote_text(value), help);
  const bool good = node != nullptr && read_text(*node, path_of(key), value, "", diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::choice(const std::string& key, const std::vector<std::string>& choices,
                            int64_t& position, const std::string& help) {
  const std::string before = quote_text(choices[static_cast<size_t>(position)]);
  const Node* node = take(key, "one of " + join(choices), "", before, help);
  const bool good = node != nullptr && read_choice(*node, path_of(key), choices, position,
                                                   default_hint(before), diagnostics_);
  return good ? node : nullptr;
}

Section Section::section(const std::string& key) {
  return Section(take(key), path_of(key), place_, diagnostics_, schema_);
}

Section Section::section(const std::string& key, const std::string& help) {
  return Section(take(key, "table", "", "", help), path_of(key), place_, diagnostics_);
}

void Section::only_where(bool applies, const std::string& why) {
  applies_ = applies;
  why_not_ = why;
}

void Section::refuse(const std::string& key, const std::string& what) {
  const Node* node = node_ == nullptr ? nullptr : node_->find(key);
  if (node == nullptr) return;
  refused_.push_back(key);
  diagnostics_.add(node->key_place, path_of(key), what);
}

void Section::reserve(const std::string& key) {
  if (schema_ != nullptr) schema_->push_back({path_of(key), "", "", "", "", false, true});
  refuse(key, "is not built yet");
}

void Section::begin_unknown_options(Place place, std::string subject, std::string what) {
  unknown_component_ = {std::move(place), std::move(subject), std::move(what), ""};
}

void Section::finish() {
  if (node_ == nullptr) return;
  std::vector<std::string> all = options_;
  all.insert(all.end(), host_keys_.begin(), host_keys_.end());
  std::vector<const Node*> unasked;
  for (const Node& item : node_->items) {
    if (!contains(all, item.key) && !contains(refused_, item.key)) unasked.push_back(&item);
  }
  if (unknown_component_) {
    Mistake& mistake = *unknown_component_;
    std::vector<std::string> keys;
    for (const Node* item : unasked) keys.push_back(key_text(item->key));
    if (!keys.empty()) mistake.what += "; its options could not be checked: " + join(keys);
    return diagnostics_.add(mistake.place, mistake.subject, mistake.what);
  }
  for (const Node* found : unasked) {
    const Node& item = *found;
    std::string what = "unknown key";
    const std::string meant = nearest(item.key, all);
    // The list that the key was most likely meant to be in is the one worth reading.
    const bool option = contains(options_, meant);
    const std::vector<std::string>& known = meant.empty() ? all : option ? options_ : host_keys_;
    if (!meant.empty()) what += "; did you mean " + quote_text(meant) + "?";
    diagnostics_.add(item.key_place, path_of(item.key), what + "  known: " + join(known));
  }
}

}  // namespace retort::host::config
