#include "framework/config/section.hpp"

#include <algorithm>
#include <utility>

#include "framework/base/suggest.hpp"

namespace retort::host::config {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Reads each entry of a list. Returns the node where all of them are good, or else null.
template <class Value, class ReadEntry>
const Node* read_list(const Node* node, const std::string& path, const std::string& wanted,
                      std::vector<Value>& values, Diagnostics& diagnostics,
                      const ReadEntry& read_entry) {
  if (node == nullptr) return nullptr;
  if (!node->is(Node::Kind::List)) {
    refuse_type(*node, path, wanted, "", diagnostics);
    return nullptr;
  }
  std::vector<Value> read(node->items.size());
  bool good = true;
  for (size_t i = 0; i < read.size(); ++i) {
    good &= read_entry(node->items[i], entry_path(path, i), read[i]);
  }
  if (!good) return nullptr;
  values = std::move(read);
  return node;
}

std::string default_hint(const std::string& value) { return " (default " + value + ")"; }

}  // namespace

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
  refuse_type(*node_, path_, "a table", "", diagnostics_);
  node_ = nullptr;
}

std::string Section::key_path(const std::string& key) const {
  return path_.empty() ? key_text(key) : path_ + "." + key_text(key);
}

const Node* Section::take(const std::string& key) {
  if (!why_not_.empty()) {
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
    schema_->push_back({key_path(key), type, accepted, default_value, help, why_not_.empty()});
  }
  return take(key);
}

const Node* Section::integer(const std::string& key, const Range& range, int64_t& value,
                             const std::string& help) {
  const std::string before = std::to_string(value);
  const Node* node = take(key, "integer", describe(range), before, help);
  const bool good = node != nullptr && read_integer(*node, key_path(key), range, value,
                                                    default_hint(before), diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::real(const std::string& key, const Range& range, double& value,
                          const std::string& help) {
  const std::string before = real_text(value);
  const Node* node = take(key, "number", describe(range), before, help);
  const bool good = node != nullptr && read_real(*node, key_path(key), range, value,
                                                 default_hint(before), diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::boolean(const std::string& key, bool& value, const std::string& help) {
  const std::string before = value ? "true" : "false";
  const Node* node = take(key, "true or false", "", before, help);
  const bool good = node != nullptr &&
                    read_boolean(*node, key_path(key), value, default_hint(before), diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::text(const std::string& key, std::string& value, const std::string& help) {
  const Node* node = take(key, "text", "", value.empty() ? "" : quote_text(value), help);
  const bool good = node != nullptr && read_text(*node, key_path(key), value, "", diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::path(const std::string& key, PathFrom from, std::string& value,
                          const std::string& help) {
  const Node* node = text(key, value, help);
  if (schema_ != nullptr) schema_->back().path_from = from;
  return node;
}

const Node* Section::choice(const std::string& key, const std::vector<std::string>& choices,
                            int64_t& position, const std::string& help) {
  const std::string before = quote_text(choices[static_cast<size_t>(position)]);
  const Node* node = take(key, "one of " + join(choices), "", before, help);
  const bool good = node != nullptr && read_choice(*node, key_path(key), choices, position,
                                                   default_hint(before), diagnostics_);
  return good ? node : nullptr;
}

const Node* Section::reals(const std::string& key, const Range& range, std::vector<double>& values,
                           const std::string& default_value, const std::string& help) {
  const Node* node = take(key, "list of numbers", describe(range), default_value, help);
  const auto read = [&](const Node& item, const std::string& path, double& value) {
    return read_real(item, path, range, value, "", diagnostics_);
  };
  return read_list(node, key_path(key), "a list of numbers", values, diagnostics_, read);
}

const Node* Section::texts(const std::string& key, std::vector<std::string>& values,
                           const std::string& help) {
  const Node* node = take(key, "list of texts", "", "[]", help);
  const auto read = [&](const Node& item, const std::string& path, std::string& value) {
    return read_text(item, path, value, "", diagnostics_);
  };
  return read_list(node, key_path(key), "a list of texts", values, diagnostics_, read);
}

Section Section::section(const std::string& key) {
  return Section(take(key), key_path(key), place_, diagnostics_, schema_);
}

Section Section::section(const std::string& key, const std::string& help) {
  return Section(take(key, "table", "", "", help), key_path(key), place_, diagnostics_);
}

Section Section::required(const std::string& key, const std::string& how) {
  const Node* node = take(key);
  if (node == nullptr) {
    diagnostics_.add(place_, key, "missing; add " + how);
  } else if (node->is(Node::Kind::List)) {
    diagnostics_.add(node->place, key, "there is only one; write [" + key + "]");
    node = nullptr;
  }
  return Section(node, key, place_, diagnostics_, schema_);
}

void Section::refuse(const std::string& key, const std::string& what) {
  const Node* node = node_ == nullptr ? nullptr : node_->find(key);
  if (node == nullptr) return;
  refused_.push_back(key);
  diagnostics_.add(node->key_place, key_path(key), what);
}

void Section::reserve(const std::string& key) {
  if (schema_ != nullptr) schema_->push_back({key_path(key), "", "", "", "", false, true});
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
    diagnostics_.add(item.key_place, key_path(item.key), what + "  known: " + join(known));
  }
}

}  // namespace retort::host::config
