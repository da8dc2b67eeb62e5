#include "framework/io/safe_text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace retort::host {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Character {
  size_t bytes = 1;
  char32_t code = 0;
  bool valid = false;
};

/// The first character of a text that is not empty; a byte that begins none is one of its own.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {1, lead, true};
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  char32_t code = lead & (0x7FU >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    code = code << 6 | (byte & 0x3FU);
  }
  const bool too_long = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (too_long || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return {};
  return {bytes, code, true};
}

struct Range {
  char32_t first, last;
};

// Unicode's categories Cc and Cf, line and paragraph separators, blank letters, and what XML forbids.
constexpr Range kUnseen[] = {
    {0x00, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},       {0x34F, 0x34F},
    {0x600, 0x605},     {0x61C, 0x61C},     {0x6DD, 0x6DD},     {0x70F, 0x70F},
    {0x890, 0x891},     {0x8E2, 0x8E2},     {0x115F, 0x1160},   {0x17B4, 0x17B5},
    {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},
    {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB},
    {0xFFFE, 0xFFFF},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1345F},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};

bool is_unseen(char32_t code) {
  if (code >= 0x20 && code < 0x7F) return false;
  return std::any_of(std::begin(kUnseen), std::end(kUnseen),
                     [&](const Range& range) { return code >= range.first && code <= range.last; });
}

/// Calls `see` with each character and its bytes.
template <class See>
void for_each_character(std::string_view text, See&& see) {
  while (!text.empty()) {
    const Character character = first_character(text);
    see(character, text.substr(0, character.bytes));
    text.remove_prefix(character.bytes);
  }
}

/// `kept`: controls that stay.
std::string replace_unseen(std::string_view text, std::string_view kept) {
  std::string safe;
  safe.reserve(text.size());
  for_each_character(text, [&](const Character& character, std::string_view bytes) {
    const bool stays = character.valid &&
                       (!is_unseen(character.code) || kept.find(bytes) != std::string_view::npos);
    safe += stays ? bytes : kReplacement;
  });
  return safe;
}

/// A character by its number: JSON has four digits, and writes a larger one as two.
std::string escape_of(unsigned code, Escapes form) {
  char escape[16];
  if (code < 0x10000) {
    std::snprintf(escape, sizeof escape, form == Escapes::Toml ? "\\u%04X" : "\\u%04x", code);
  } else if (form == Escapes::Toml) {
    std::snprintf(escape, sizeof escape, "\\U%08X", code);
  } else {
    std::snprintf(escape, sizeof escape, "\\u%04x\\u%04x", 0xD7C0 + (code >> 10),
                  0xDC00 + (code & 0x3FF));
  }
  return escape;
}

}  // namespace

std::string safe_text(std::string_view text) { return replace_unseen(text, "\n\t"); }

std::string safe_line(std::string_view text) { return replace_unseen(text, ""); }

std::string safe_quote(std::string_view text) {
  std::string safe = safe_text(text);
  while (safe.ends_with('\n')) safe.pop_back();
  for (size_t at = 0; (at = safe.find('\n', at)) != std::string::npos; at += 3) {
    safe.insert(at + 1, "  ");
  }
  return safe;
}

std::string escape_unseen(std::string_view text, Escapes form) {
  std::string safe;
  safe.reserve(text.size());
  for_each_character(text, [&](const Character& character, std::string_view bytes) {
    if (!character.valid) {
      safe += form == Escapes::Toml ? bytes : kReplacement;
    } else if (character.code < 0x20 || !is_unseen(character.code)) {
      safe += bytes;  // controls below a space are escaped already, or stand between strings
    } else {
      safe += escape_of(static_cast<unsigned>(character.code), form);
    }
  });
  return safe;
}

bool is_utf8(std::string_view text) {
  bool valid = true;
  for_each_character(
      text, [&](const Character& character, std::string_view) { valid &= character.valid; });
  return valid;
}

std::string csv_field(std::string_view text) {
  std::string field = "\"";
  for (const char c : safe_line(text)) field.append(c == '"' ? 2 : 1, c);
  return field + "\"";
}

std::string_view cut_text(std::string_view text, size_t most) {
  text = text.substr(0, most);
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const bool cut = byte >= 0xC0 && !first_character(text.substr(text.size() - back)).valid;
    return cut ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

}  // namespace retort::host
