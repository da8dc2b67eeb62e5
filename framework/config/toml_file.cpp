// The one source that includes toml++.
#include "framework/config/toml_file.hpp"

#include <fcntl.h>
#include <toml++/toml.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
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

/// Takes `columns` away from the places on the first line.
void shift_first_line(Node& node, uint32_t columns) {
  for (Place* place : {&node.place, &node.key_place}) {
    if (place->line == 1) place->column -= columns;
  }
  for (Node& item : node.items) shift_first_line(item, columns);
}

/// The line that a place names, with a caret under its column; only what is near in a long line.
std::string source_line(std::string_view text, const Place& place) {
  constexpr size_t kBefore = 60;
  constexpr size_t kWidth = 90;
  for (uint32_t line = 1; line < place.line; ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find_first_of("\r\n"));
  const auto starts_character = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  };
  size_t at = 0;  // the byte of the column, which counts characters
  for (uint32_t column = 1; at < text.size() && column < place.column; ++column) {
    do ++at;
    while (at < text.size() && !starts_character(text[at]));
  }
  size_t begin = at > kBefore ? at - kBefore : 0;
  while (begin < at && !starts_character(text[begin])) ++begin;
  size_t end = std::min(begin + kWidth, text.size());
  while (end < text.size() && !starts_character(text[end])) ++end;
  std::string shown(text.substr(begin, end - begin));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
  const auto columns = std::count_if(
      shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(at - begin), starts_character);
  return "    " + shown + "\n    " + std::string(static_cast<size_t>(columns), ' ') + "^\n";
}

/// The text's beginning up to a place.
std::string_view up_to(std::string_view text, const Place& place) {
  size_t at = 0;
  for (uint32_t line = 1; line < place.line; ++line) at = text.find('\n', at) + 1;
  return text.substr(0, std::min(at + place.column - 1, text.size()));
}

/// Where `key` was first given, in the table or inline table that a place lies in; "" where that is
/// not found. For a table, [key], its first header.
std::string first_place(std::string_view text, const Place& again, const std::string& key,
                        const std::string& file) {
  const std::string_view before = up_to(text, again);
  const size_t last_line =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const size_t brace = before.rfind('{');
  const bool is_inline =
      brace != std::string_view::npos && before.find('}', brace) == std::string_view::npos;
  size_t begin = is_inline ? brace + 1 : 0;
  const bool header = !is_inline && text[last_line] == '[';
  if (!is_inline && !header) {
    const size_t table = before.rfind("\n[");
    begin = table == std::string_view::npos ? 0 : before.find('\n', table + 1);
  }
  for (size_t at = before.find(key, begin); at < (is_inline ? before.size() : last_line);
       at = before.find(key, at + 1)) {
    const size_t left = before.find_last_not_of(" \t\"'", at == 0 ? 0 : at - 1);
    const char previous = at == 0 || left == std::string_view::npos ? '\n' : before[left];
    const size_t right = before.find_first_not_of(" \t\"'", at + key.size());
    const char next = right == std::string_view::npos ? ' ' : before[right];
    const bool starts =
        std::string_view(header ? "[.\n" : "{,\n").find(previous) != std::string_view::npos;
    if (!starts || (next != '=' && next != '.' && !(header && next == ']'))) continue;
    const auto line = static_cast<uint32_t>(std::count(
                          before.begin(), before.begin() + static_cast<std::ptrdiff_t>(at), '\n')) +
                      1;
    const size_t line_start = at == 0 ? std::string_view::npos : before.rfind('\n', at - 1);
    const size_t column = at - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
    return "; first at " + place_text({file, line, static_cast<uint32_t>(column)});
  }
  return "";
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
    const Place place = place_of(error.source(), file);
    const std::string what = plain(error.description());
    // "... given twice: there is already the integer 'a'"
    const bool twice = what.find("given twice") != std::string::npos && what.back() == '\'';
    const size_t name = twice ? what.rfind('\'', what.size() - 2) + 1 : 0;
    const std::string first =
        twice ? first_place(text, place, what.substr(name, what.size() - 1 - name), file) : "";
    diagnostics.add(place, "", what + first, source_line(text, place));
    return std::nullopt;
  }
}

std::string read_text_file(const std::filesystem::path& file, std::string& text) {
  using std::filesystem::file_type;
  std::error_code error;
  const std::filesystem::path tried = std::filesystem::absolute(file, error).lexically_normal();
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) return "not found (tried " + tried.string() + ")";
  if (status.type() == file_type::directory) return "a folder; name a TOML file in it";
  if (status.type() != file_type::regular) {
    return status.type() == file_type::fifo     ? "a pipe; name a plain TOML file"
           : status.type() == file_type::socket ? "a socket; name a plain TOML file"
                                                : "a device; name a plain TOML file";
  }
  // Not blocking: what stands there may have become a pipe since.
  const int in = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  text.resize(in < 0 ? 0 : kLargestFile + 1);
  size_t size = 0;
  ssize_t count = in < 0 ? -1 : 1;
  while (count > 0 && size < text.size()) {
    count = read(in, text.data() + size, text.size() - size);
    size += static_cast<size_t>(std::max<ssize_t>(count, 0));
  }
  const int failed = errno;
  if (in >= 0) close(in);
  text.resize(size);
  if (count < 0) {
    return "cannot be read: " + std::string(std::strerror(failed)) + " (tried " + tried.string() +
           ")";
  }
  if (text.size() > kLargestFile) return "larger than 1 MiB; not an experiment file";
  return "";
}

std::optional<Node> parse_toml_value(std::string_view text) {
  if (line_too_deep(text) != 0) return std::nullopt;
  try {
    const std::string before = "value = ";
    const toml::table table = toml::parse(before + std::string(text));
    const toml::node* value = table.get("value");
    if (table.size() != 1 || value == nullptr) return std::nullopt;
    Node node = convert(*value, "");
    shift_first_line(node, static_cast<uint32_t>(before.size()));
    return node;
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

}  // namespace retort::host::config
