#pragma once

#include <stdexcept>
#include <string>

#include "retort/abi.h"
#include "retort/namespace.hpp"

RETORT_BEGIN_NAMESPACE

/// What a plugin throws, and what a failed call to the host arrives as. It never leaves the plugin:
/// the SDK turns it into a code and a message, and the host says which plugin, which function and
/// which step.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, retort_code code = RETORT_FAILED)
      : std::runtime_error(message), code_(code) {}
  retort_code code() const { return code_; }

 private:
  retort_code code_;
};

/// An option value that cannot work. The user sees it as a mistake in the experiment.
struct ConfigError : Error {
  explicit ConfigError(const std::string& message) : Error(message, RETORT_BAD_CONFIG) {}
};

/// Tensors that do not fit together.
struct ShapeError : Error {
  explicit ShapeError(const std::string& message) : Error(message, RETORT_BAD_SHAPE) {}
};

/// A data file that is missing or damaged.
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(message, RETORT_BAD_DATA) {}
};

namespace detail {

/// The host's table. Set once, when the host attaches the plugin.
inline const retort_host* attached_host = nullptr;

inline const retort_host& host() { return *attached_host; }

/// Room for one failure of the host.
struct Failure : retort_error {
  Failure() {
    struct_size = sizeof(retort_error);
    code = RETORT_OK;
    message[0] = '\0';
  }
};

[[noreturn]] inline void raise(int32_t code) {
  const char* message = host().last_error();
  if (code == RETORT_BAD_CONFIG) throw ConfigError(message);
  if (code == RETORT_BAD_SHAPE) throw ShapeError(message);
  if (code == RETORT_BAD_DATA) throw DataError(message);
  throw Error(message, static_cast<retort_code>(code));
}

/// Throws when a call to the host failed.
inline void check(int32_t code) {
  if (code != RETORT_OK) raise(code);
}

inline void fill(retort_error* error, int32_t code, const char* what) noexcept {
  if (error == nullptr || error->struct_size < sizeof(retort_error)) return;
  error->code = code;
  size_t length = 0;
  for (; what[length] != '\0' && length + 1 < sizeof(error->message); ++length)
    error->message[length] = what[length];
  error->message[length] = '\0';
}

/// Runs the body of a function that the host called; no exception gets out.
template <class Body>
int32_t guarded(retort_error* error, Body&& body) noexcept {
  try {
    body();
    return RETORT_OK;
  } catch (const Error& failure) {
    fill(error, failure.code(), failure.what());
    return failure.code();
  } catch (const std::exception& failure) {
    fill(error, RETORT_FAILED, failure.what());
  } catch (...) {
    fill(error, RETORT_FAILED, "threw something that is no std::exception");
  }
  return RETORT_FAILED;
}

}  // namespace detail

RETORT_END_NAMESPACE
