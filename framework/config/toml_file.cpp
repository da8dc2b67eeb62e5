// The one source that includes toml++.
#include "framework/config/toml_file.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace retort::host::config {
namespace {

constexpr size_t kLargestFile = size_t{1} << 20;
constexpr size_t kDeepest = 16;  // toml++ 3.3 frees tables recursively, and has no limit for a.b.c

Place place_of(const toml::source_region& source, const std::string& file) {
  return {file, source.begin.line, source.begin.column};
}

Node convert(const toml::node& source, const std::string& file) {
  Node node;
  node.place = place_of(source.source(), file);
  if (const auto* table = source.as_table()) {
    node.kind = Node::Kind::Table;
    for (const auto& [key, value] : *table) {
      Node item = convert(value, file);
      item.key = std::string(key.str());
      item.key_place = place_of(key.source(), file);
      node.items.push_back(std::move(item));
    }
  } else if (const auto* list = source.as_array()) {
    node.kind = Node::Kind::List;
    for (const toml::node& value : *list) node.items.push_back(convert(value, file));
  } else if (const auto* boolean = source.as_boolean()) {
    node.kind = Node::Kind::Boolean;
    node.boolean = boolean->get();
  } else if (const auto* integer = source.as_integer()) {
    node.kind = Node::Kind::Integer;
    node.integer = integer->get();
  } else if (const auto* real = source.as_floating_point()) {
    node.kind = Node::Kind::Real;
    node.real = real->get();
  } else if (const auto* text = source.as_string()) {
    node.kind = Node::Kind::Text;
    node.text = text->get();
  } else {
    node.kind = Node::Kind::Date;
    std::ostringstream out;
    if (const auto* date = source.as_date()) out << date->get();
    if (const auto* time = source.as_time()) out << time->get();
    if (const auto* both = source.as_date_time()) out << both->get();
    node.text = out.str();
  }
  return node;
}

/// The end of the quoted text that starts at `at`: one past its closing quotes.
size_t end_of_text(std::string_view text, size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool block = text.compare(at, 3, three) == 0;
  const std::string_view close = block ? std::string_view(three) : text.substr(at, 1);
  for (size_t i = at + close.size(); i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text.compare(i, close.size(), close) == 0) {
      i += close.size();
      // A block may end with two more quotes of its own.
      for (int more = 0; block && more < 2 && i < text.size() && text[i] == quote; ++more) ++i;
      return i;
    }
  }
  return text.size();
}

/// The line at which keys (a.b.c) or brackets go deeper than any experiment does, or 0.
uint32_t line_too_deep(std::string_view text) {
  uint32_t line = 1;
  size_t dots = 0;
  size_t open = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '#') i = std::min(text.find('\n', i), text.size()) - 1;
    if (c == '"' || c == '\'') {
      const size_t end = end_of_text(text, i);
      line +=
          static_cast<uint32_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                                           text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
      i = end - 1;
    }
    if (c == '\n') ++line;
    if (c == '\n' || c == '=' || c == ',' || c == '[' || c == '{') dots = 0;
    if (c == '[' || c == '{') ++open;
    if ((c == ']' || c == '}') && open > 0) --open;
    if (c == '.') ++dots;
    if (dots > kDeepest || open > kDeepest) return line;
  }
  return 0;
}

/// "Error while parsing boolean: encountered end-of-file" in plain words.
std::string plain(std::string_view description) {
  std::string text(description);
  const std::string prefix = "Error while parsing ";
  if (text.rfind(prefix, 0) == 0) text = "in this " + text.substr(prefix.size());
  const std::pair<std::string, std::string> words[] = {
      {"encountered end-of-file", "the file ends too early"},
      {"could not determine value type",
       "not a value; text is written in quotes, truth as true or false"},
      {"cannot redefine existing", "given twice: there is already the"},
      {"Encountered invalid utf-8 sequence", "not UTF-8 text"}};
  for (const auto& [from, to] : words) {
    if (const size_t at = text.find(from); at != std::string::npos) {
      text.replace(at, from.size(), to);
    }
  }
  return "not TOML: " + text;
}

}  // namespace

std::optional<Node> parse_toml(std::string_view text, const std::string& file,
                               Diagnostics& diagnostics) {
  if (const uint32_t line = line_too_deep(text)) {
    diagnostics.add(
        {file, line, 1}, "",
        "nested more than " + std::to_string(kDeepest) + " deep; an experiment never is");
    return std::nullopt;
  }
  try {
    return convert(toml::parse(text, std::string_view(file)), file);
  } catch (const toml::parse_error& error) {
    diagnostics.add(place_of(error.source(), file), "", plain(error.description()));
    return std::nullopt;
  }
}

std::string read_text_file(const std::filesystem::path& file, std::string& text) {
  std::error_code error;
  const std::filesystem::path tried = std::filesystem::absolute(file, error).lexically_normal();
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) return "not found (tried " + tried.string() + ")";
  if (std::filesystem::is_directory(status)) return "a folder; name a TOML file in it";
  std::ifstream in(file, std::ios::binary);
  text.resize(kLargestFile + 1);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return "cannot be read (tried " + tried.string() + ")";
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kLargestFile) return "larger than 1 MiB; not an experiment file";
  return "";
}

std::optional<Node> parse_toml_value(std::string_view text) {
  if (line_too_deep(text) != 0) return std::nullopt;
  try {
    const toml::table table = toml::parse("value = " + std::string(text));
    const toml::node* value = table.get("value");
    if (table.size() != 1 || value == nullptr) return std::nullopt;
    return convert(*value, "");
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace retort::host::config
