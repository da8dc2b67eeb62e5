#pragma once

#include <stdexcept>
#include <string>

namespace retort::host {

/// The exit codes of the program; every Error carries one.
enum class ExitCode : int {
  Ok = 0,
  RunFailed = 1,
  Config = 2,
  Data = 3,
  NonFinite = 4,
  Environment = 5,
  Interrupted = 130,
  Terminated = 143,
};

/// What every failure of the host is thrown as. The message says where, what value was found, and
/// what to do. Thrown at the edge (loading, parsing, the first batch). `main` turns it into the exit
/// code; others catch only where work goes on without what failed: the next trial of a sweep, the
/// next plugin of a folder, an older saved state, a teacher trained anew, the status of a run.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::RunFailed)
      : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// The experiment file or the command line is wrong.
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& message) : Error(message, ExitCode::Config) {}
};

/// A plugin library is wrong, or failed while it ran.
class PluginError : public Error {
 public:
  explicit PluginError(const std::string& message) : Error(message, ExitCode::RunFailed) {}
};

/// Tensors do not fit together.
class ShapeError : public Error {
 public:
  explicit ShapeError(const std::string& message) : Error(message, ExitCode::RunFailed) {}
};

/// A data, weights or checkpoint file is missing or damaged.
class DataError : public Error {
 public:
  explicit DataError(const std::string& message) : Error(message, ExitCode::Data) {}
};

/// The machine lacks something: a GPU, memory, disk space, write permission.
class EnvironmentError : public Error {
 public:
  explicit EnvironmentError(const std::string& message) : Error(message, ExitCode::Environment) {}
};

/// A loss, gradient or metric is not a finite number.
class NonFiniteError : public Error {
 public:
  explicit NonFiniteError(const std::string& message) : Error(message, ExitCode::NonFinite) {}
};

}  // namespace retort::host
