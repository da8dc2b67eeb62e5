#include "framework/base/failure.hpp"

#include <c10/util/Exception.h>
#include <cxxabi.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <string_view>
#include <typeinfo>

#include "framework/base/text.hpp"

namespace retort::host {
namespace {

/// What an allocator says of itself: LibTorch's on the CPU and on a GPU, the driver, cuBLAS, cuDNN.
constexpr std::string_view kMemoryWords[] = {"you tried to allocate", "out of memory",
                                             "STATUS_ALLOC_FAILED"};

bool is_of_memory(const c10::Error& failure) {
  if (dynamic_cast<const c10::OutOfMemoryError*>(&failure) != nullptr) return true;
  const std::string_view text = failure.what_without_backtrace();
  for (const std::string_view words : kMemoryWords) {
    if (text.find(words) != std::string_view::npos) return true;
  }
  return false;
}

/// "4,000,000 bytes" or "20.00 GiB" of an allocator's message; "" where it tells no amount.
std::string amount_in(std::string_view text) {
  constexpr std::string_view kBefore = "ried to allocate ";  // the GPU's begins a sentence
  const size_t found = text.find(kBefore);
  if (found == std::string_view::npos) return "";
  text.remove_prefix(found + kBefore.size());
  int64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error == std::errc() && rest.starts_with(" bytes")) return grouped(bytes) + " bytes";
  return std::string(text.substr(0, text.find(". ")));
}

}  // namespace

std::optional<std::string> out_of_memory_text(const std::exception& failure) {
  std::string amount;
  if (const auto* torch = dynamic_cast<const c10::Error*>(&failure)) {
    if (!is_of_memory(*torch)) return std::nullopt;
    amount = amount_in(torch->what_without_backtrace());
  } else if (dynamic_cast<const std::bad_alloc*>(&failure) == nullptr) {
    return std::nullopt;
  }
  return "out of memory" + (amount.empty() ? "" : ": " + amount + " were asked for at once") +
         "; make data.batch_size or train.eval_batch_size smaller, or free memory";
}

FailureReport describe_failure(const std::exception& failure) {
  if (const auto* error = dynamic_cast<const Error*>(&failure))
    return {error->what(), error->code()};
  if (const auto text = out_of_memory_text(failure)) return {*text, ExitCode::Environment};
  if (const auto* torch = dynamic_cast<const c10::Error*>(&failure)) {
    return {std::string("LibTorch: ") + torch->what_without_backtrace(), ExitCode::RunFailed};
  }
  if (const auto* disk = dynamic_cast<const std::filesystem::filesystem_error*>(&failure)) {
    return {
        disk->path1().string() + ": " + disk->code().message() + "; check the disk and the folder",
        ExitCode::Environment};
  }
  return {std::string(without_backtrace(said_by(failure))), ExitCode::RunFailed};
}

FailureReport current_failure() {
  try {
    throw;
  } catch (const std::exception& failure) {
    return describe_failure(failure);
  } catch (...) {
    return {"an exception that is no std::exception was thrown", ExitCode::RunFailed};
  }
}

std::string said_by(const std::exception& failure) {
  const char* said = failure.what();
  if (said != nullptr && *said != '\0') return said;
  const char* type = typeid(failure).name();
  char* readable = abi::__cxa_demangle(type, nullptr, nullptr, nullptr);
  const std::string name = readable == nullptr ? type : readable;
  std::free(readable);
  return name + " without a message";
}

std::string_view without_backtrace(std::string_view message) {
  // "MESSAGE\nException raised from FUNCTION at FILE:LINE (most recent call first):\nframe #0: .."
  const size_t at = message.find("\nException raised from ");
  return message.substr(0, at);
}

}  // namespace retort::host
