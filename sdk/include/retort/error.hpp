#pragma once

#include <cxxabi.h>

#include <cstdlib>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>

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

/// One part of a message: a text or a whole number.
class MessagePart {
 public:
  MessagePart(std::string_view text) : text_(text) {}
  template <class Int, class = std::enable_if_t<std::is_integral_v<Int>>>
  MessagePart(Int number) : number_(static_cast<int64_t>(number)), is_number_(true) {}

  RETORT_COLD void append_to(std::string& out) const {
    if (!is_number_) {
      out.append(text_.data(), text_.size());
      return;
    }
    char digits[20];
    size_t at = sizeof(digits);
    for (uint64_t rest = magnitude(); at == sizeof(digits) || rest != 0; rest /= 10)
      digits[--at] = static_cast<char>('0' + rest % 10);
    if (number_ < 0) digits[--at] = '-';
    out.append(digits + at, sizeof(digits) - at);
  }

 private:
  uint64_t magnitude() const {
    const uint64_t bits = static_cast<uint64_t>(number_);
    return number_ < 0 ? 0 - bits : bits;
  }

  std::string_view text_;
  int64_t number_ = 0;
  bool is_number_ = false;
};

RETORT_COLD inline std::string join(std::initializer_list<MessagePart> parts) {
  std::string out;
  for (const MessagePart& part : parts) part.append_to(out);
  return out;
}

}  // namespace detail

/// Joins texts and whole numbers: message("a batch of ", n, "; at least 2 are wanted"). It compiles
/// in a fraction of the time that a chain of std::to_string and + takes.
template <class... Parts>
std::string message(const Parts&... parts) {
  return detail::join({detail::MessagePart(parts)...});
}

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

[[noreturn]] RETORT_COLD inline void raise(int32_t code) {
  const std::string text = host().last_error();
  if (code == RETORT_BAD_CONFIG) throw ConfigError(text);
  if (code == RETORT_BAD_SHAPE) throw ShapeError(text);
  if (code == RETORT_BAD_DATA) throw DataError(text);
  throw Error(text, static_cast<retort_code>(code));
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
  // What does not fit is left out from the start of a character on, which has at most four bytes.
  for (int back = 0; back < 3 && (static_cast<unsigned char>(what[length]) & 0xC0) == 0x80; ++back)
    --length;
  error->message[length] = '\0';
}

/// Fills in what an exception says; of one that says nothing its type.
RETORT_COLD inline void fill_from(retort_error* error, int32_t code,
                                  const std::exception& failure) noexcept {
  const char* said = failure.what();
  if (said != nullptr && said[0] != '\0') return fill(error, code, said);
#ifdef __cpp_rtti
  const char* type = typeid(failure).name();
  char* readable = abi::__cxa_demangle(type, nullptr, nullptr, nullptr);
  fill(error, code, message(readable == nullptr ? type : readable, " without a message").c_str());
  std::free(readable);
#else
  fill(error, code, "an exception without a message");
#endif
}

/// Runs the body of a function that the host called; no exception gets out.
template <class Body>
int32_t guarded(retort_error* error, Body&& body) noexcept {
  try {
    body();
    return RETORT_OK;
  } catch (const Error& failure) {
    // What was thrown is a failure, whatever code it was given.
    const int32_t code = failure.code() == RETORT_OK ? RETORT_FAILED : failure.code();
    fill_from(error, code, failure);
    return code;
  } catch (const std::exception& failure) {
    fill_from(error, RETORT_FAILED, failure);
  } catch (...) {
    fill(error, RETORT_FAILED, "threw something that is no std::exception");
  }
  return RETORT_FAILED;
}

}  // namespace detail

RETORT_END_NAMESPACE
