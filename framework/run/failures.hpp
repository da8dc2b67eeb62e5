#pragma once

#include <exception>
#include <string>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/config/diagnostics.hpp"

namespace retort::host {

/// Collects what independent steps find wrong, so that all of it is told at once.
class Failures {
 public:
  /// What was found before.
  explicit Failures(Diagnostics mistakes = {}) : mistakes_(std::move(mistakes)) {}

  /// Runs a step that has to do with one value of the experiment, and returns whether it went well.
  /// What it throws is kept; ConfigError and ShapeError are mistakes in that value, unless they name
  /// a place themselves. What the machine lacks (EnvironmentError), and what is no Error, is let
  /// through.
  template <class Step>
  bool attempt(const Place& place, const std::string& subject, Step&& step) {
    try {
      step();
      return true;
    } catch (const Error& failure) {
      keep(failure, place, subject);
      return false;
    }
  }

  bool empty() const { return mistakes_.empty() && others_.empty(); }

  /// Throws: MistakesError where any mistake was found, with all that was found; a single failure of
  ///         another kind as it was, and several as one Error.
  void throw_if_any() const;

 private:
  /// A failure that is no mistake of the experiment: a file's, or a plugin's.
  struct Other {
    Mistake mistake;
    ExitCode code = ExitCode::RunFailed;
    std::exception_ptr failure;
  };

  /// To be called while `failure` is handled.
  void keep(const Error& failure, const Place& place, const std::string& subject);

  Diagnostics mistakes_;
  std::vector<Other> others_;
};

}  // namespace retort::host
