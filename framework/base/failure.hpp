#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "framework/base/error.hpp"

namespace retort::host {

/// How a failure is told, and what the program exits with.
struct FailureReport {
  std::string text;
  ExitCode code = ExitCode::RunFailed;
};

/// Describes any exception in words: LibTorch's without its back trace.
FailureReport describe_failure(const std::exception& failure);

/// The exception that is being handled, of any kind: call it in a catch block, `catch (...)` included.
FailureReport current_failure();

/// What an exception says; of one that says nothing "std::runtime_error without a message".
std::string said_by(const std::exception& failure);

/// A message of LibTorch without the C++ back trace that it may end with.
std::string_view without_backtrace(std::string_view message);

/// "out of memory: 4,000,000,000,000 bytes were asked for at once; ..." where a failure is one of
/// memory, the machine's or the GPU's; nothing for any other.
std::optional<std::string> out_of_memory_text(const std::exception& failure);

}  // namespace retort::host
