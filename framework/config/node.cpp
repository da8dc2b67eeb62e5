#include "framework/config/node.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "framework/io/safe_text.hpp"

namespace retort::host::config {

const Node* Node::find(std::string_view name) const {
  if (kind != Kind::Table) return nullptr;
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const Node& item) { return item.key == name; });
  return found == items.end() ? nullptr : &*found;
}

Node* Node::find(std::string_view name) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(name));
}

const Node* Node::find_path(std::string_view path) const {
  const Node* node = this;
  while (node != nullptr && !path.empty()) {
    const size_t dot = std::min(path.find('.'), path.size());
    node = node->find(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return node;
}

Node* Node::find_path(std::string_view path) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find_path(path));
}

const char* describe(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::Boolean:
      return "true or false";
    case Node::Kind::Integer:
      return "an integer";
    case Node::Kind::Real:
      return "a real number";
    case Node::Kind::Text:
      return "text";
    case Node::Kind::Date:
      return "a date or time";
    case Node::Kind::List:
      return "a list";
    case Node::Kind::Table:
      return "a table";
  }
  return "";
}

std::string subject(const std::string& path, const Node& value) {
  constexpr size_t kLongestText = 60;
  switch (value.kind) {
    case Node::Kind::Boolean:
      return path + (value.boolean ? " = true" : " = false");
    case Node::Kind::Integer:
      return path + " = " + std::to_string(value.integer);
    case Node::Kind::Real:
      return path + " = " + real_text(value.real);
    case Node::Kind::Text:
      if (value.text.size() > kLongestText) {
        size_t end = kLongestText;
        while (end > 0 && (static_cast<unsigned char>(value.text[end]) & 0xC0) == 0x80) --end;
        return path + " " + quote_text(value.text.substr(0, end)) + "...";
      }
      return path + " " + quote_text(value.text);
    case Node::Kind::Date:
      return path + " = " + value.text;
    case Node::Kind::List:
    case Node::Kind::Table:
      return path;
  }
  return path;
}

std::string quote_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", byte);
      result += escape;
    } else {
      result += c;
    }
  }
  return escape_unseen(result, Escapes::Toml) + "\"";
}

std::string key_text(std::string_view key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) || c == '_' || c == '-');
  });
  return bare ? std::string(key) : quote_text(key);
}

std::string real_text(double value) {
  constexpr double kExact = 1e15;  // a longer row of digits might not fit into an integer
  if (std::abs(value) < kExact && value == std::floor(value)) {
    return std::to_string(static_cast<int64_t>(value));
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  const std::string text(buffer, end);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string toml_text(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::Boolean:
      return node.boolean ? "true" : "false";
    case Node::Kind::Integer:
      return std::to_string(node.integer);
    case Node::Kind::Real:
      text = real_text(node.real);
      // 2.0 stays a real number, which an integer key refuses.
      return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
    case Node::Kind::Text:
      return quote_text(node.text);
    case Node::Kind::Date:
      return node.text;
    case Node::Kind::List:
      for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + toml_text(item);
      text.insert(0, 1, '[');
      return text + "]";
    case Node::Kind::Table:
      for (const Node& item : node.items) {
        text += (text.empty() ? " " : ", ") + key_text(item.key) + " = " + toml_text(item);
      }
      text.insert(0, 1, '{');
      return text + " }";
  }
  return text;
}

}  // namespace retort::host::config
