#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace retort::host {

// The one place where text from elsewhere (plugins, files, paths, the command line, LibTorch) is made
// fit to be shown. Where it is no UTF-8, or holds a character that a reader does not see but a
// terminal or a browser obeys, U+FFFD stands instead: C0 and C1 controls, DEL, marks of writing
// direction, zero-width and other invisible characters, and what XML forbids.

/// A message: line breaks and tabs stay.
std::string safe_text(std::string_view text);

/// A name within a line: no line breaks and no tabs either.
std::string safe_line(std::string_view text);

/// A message of somebody else within one of ours. Its further lines are indented, so that none can
/// pass for a line of the program.
std::string safe_quote(std::string_view text);

/// Text of JSON, or what stands between the quotes of a TOML string, with its content kept: what may
/// not be shown is written as an escape. Bytes that are no UTF-8 have none: U+FFFD stands for them in
/// JSON, and in TOML, which must name the same file again, they stay.
enum class Escapes { Json, Toml };
std::string escape_unseen(std::string_view text, Escapes form);

/// Whether a text is UTF-8, as TOML and JSON must be.
bool is_utf8(std::string_view text);

/// A field of CSV, in quotes.
std::string csv_field(std::string_view text);

/// The first `most` bytes of a text, or fewer, so that they end with a whole character. A text that
/// was cut within one already loses that too.
std::string_view cut_text(std::string_view text, size_t most);

}  // namespace retort::host
