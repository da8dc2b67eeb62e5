#include "framework/config/diagnostics.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

namespace retort::host {
namespace {

constexpr std::string_view kCommandLinePrefix = "command line: ";
constexpr size_t kWidestSubject = 30;  // a longer one pushes its own line only

std::string padded(std::string text, size_t width, size_t gap) {
  text.resize(std::max(width, text.size()) + gap, ' ');
  return text;
}

/// Files before the command line; within a file what has no line of its own last.
auto order_of(const Mistake& mistake) {
  const Place& place = mistake.place;
  const uint32_t line = place.line == 0 ? std::numeric_limits<uint32_t>::max() : place.line;
  const bool command_line = place.file.rfind("command line", 0) == 0;
  return std::make_tuple(command_line, command_line ? std::string() : place.file, line,
                         place.column);
}

/// A line with a caret beneath the part of the override that the place names; "" for another place.
std::string caret_under_override(const Place& place) {
  if (place.line > 0 || place.column == 0 || place.file.rfind(kCommandLinePrefix, 0) != 0)
    return "";
  const size_t before = std::min(kCommandLinePrefix.size() + place.column - 1, place.file.size());
  // Bytes that continue a character take no column of their own.
  const auto columns =
      std::count_if(place.file.begin(), place.file.begin() + static_cast<std::ptrdiff_t>(before),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return std::string(static_cast<size_t>(columns), ' ') + "^\n";
}

}  // namespace

std::string place_text(const Place& place) {
  if (place.line == 0) return place.file;
  return place.file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

void Diagnostics::add(Place place, std::string subject, std::string what, std::string source) {
  mistakes_.push_back({std::move(place), std::move(subject), std::move(what), std::move(source)});
}

std::vector<Mistake> Diagnostics::sorted() const {
  std::vector<Mistake> sorted = mistakes_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Mistake& a, const Mistake& b) { return order_of(a) < order_of(b); });
  return sorted;
}

std::string Diagnostics::text() const {
  const std::vector<Mistake> sorted = this->sorted();
  size_t place_width = 0;
  size_t subject_width = 0;
  for (const Mistake& mistake : sorted) {
    place_width = std::max(place_width, place_text(mistake.place).size());
    if (mistake.subject.size() <= kWidestSubject) {
      subject_width = std::max(subject_width, mistake.subject.size());
    }
  }
  std::string text;
  for (const Mistake& mistake : sorted) {
    text += padded(place_text(mistake.place), place_width, 2);
    if (subject_width > 0 || !mistake.subject.empty()) {
      text += padded(mistake.subject, subject_width, 3);
    }
    text += mistake.what + "\n" + caret_under_override(mistake.place) + mistake.source;
  }
  const std::string count = std::to_string(sorted.size());
  return text + count + (sorted.size() == 1 ? " mistake" : " mistakes") + "; nothing was started.";
}

void Diagnostics::throw_if_any() const {
  if (!empty()) throw MistakesError(text(), sorted());
}

}  // namespace retort::host
