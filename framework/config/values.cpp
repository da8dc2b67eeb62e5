#include "framework/config/values.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "framework/base/suggest.hpp"

namespace retort::host::config {
namespace {

bool in_range(const Node& node, const std::string& path, const Range& range, double value,
              const std::string& hint, Diagnostics& diagnostics) {
  if (range.holds(value)) return true;
  diagnostics.add(node.place, subject(path, node), "must be " + describe(range) + hint);
  return false;
}

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

void refuse_type(const Node& node, const std::string& path, const std::string& wanted,
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
    refuse_type(node, path, "an integer", remedy, diagnostics);
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
    refuse_type(node, path, "a number", hint, diagnostics);
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
    refuse_type(node, path, "true or false", hint, diagnostics);
    return false;
  }
  value = node.boolean;
  return true;
}

bool read_text(const Node& node, const std::string& path, std::string& value,
               const std::string& hint, Diagnostics& diagnostics) {
  if (!node.is(Node::Kind::Text)) {
    refuse_type(node, path, "text in quotes", hint, diagnostics);
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
    refuse_type(node, path, "one of " + join(names), hint, diagnostics);
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

bool check_name(const Node& node, const std::string& path, Diagnostics& diagnostics) {
  const std::string& name = node.text;
  const bool good = !name.empty() && name.size() <= 100 && name[0] != '.' && name[0] != '-' &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return c < 0x80 && (std::isalnum(c) || c == '.' || c == '_' || c == '-');
                    });
  if (!good) {
    diagnostics.add(node.place, subject(path, node),
                    "must be letters, digits, \".\", \"_\" and \"-\", at most 100 and none of "
                    "\".-\" first: it names files");
  }
  return good;
}

std::string entry_path(const std::string& path, size_t position) {
  return path + "[" + std::to_string(position) + "]";
}

}  // namespace retort::host::config
