#pragma once

#include <string>
#include <utility>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/config/place.hpp"

namespace retort::host {

/// One mistake in an experiment file or on the command line.
struct Mistake {
  Place place;
  std::string subject;  // the key and the value found: transfer[0].temperature = -2
  std::string what;     // what is accepted, or what to do
  std::string source;   // the line of the file with a caret beneath, or ""
};

/// "kd.toml:14:15", or the file or override alone where there is no line.
std::string place_text(const Place& place);

/// The mistakes of an experiment: as text for people, and one by one for programs.
class MistakesError : public ConfigError {
 public:
  MistakesError(const std::string& text, std::vector<Mistake> mistakes)
      : ConfigError(text), mistakes_(std::move(mistakes)) {}
  const std::vector<Mistake>& mistakes() const { return mistakes_; }

 private:
  std::vector<Mistake> mistakes_;
};

/// Collects mistakes, so that all of them are told at once.
class Diagnostics {
 public:
  void add(Place place, std::string subject, std::string what, std::string source = "");
  bool empty() const { return mistakes_.empty(); }
  size_t count() const { return mistakes_.size(); }
  const std::vector<Mistake>& mistakes() const { return mistakes_; }
  /// In the order of the files; those of the command line last.
  std::vector<Mistake> sorted() const;

  /// A line each in the order of the files, in aligned columns, and a line with their number. A
  /// caret points at the part of an override that is meant.
  std::string text() const;

  /// Throws: MistakesError with text() and sorted(), if there is any mistake.
  void throw_if_any() const;

 private:
  std::vector<Mistake> mistakes_;
};

}  // namespace retort::host
