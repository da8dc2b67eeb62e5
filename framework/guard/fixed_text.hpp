#pragma once

#include <cstddef>
#include <cstdint>

#include "framework/guard/running.hpp"

namespace retort::host {

/// Text in memory of its own, for signal handlers: appending neither locks nor allocates, and what
/// does not fit is left out.
class FixedText {
 public:
  FixedText& append(const char* text) {
    for (; *text != '\0' && size_ < sizeof data_ - 1; ++text) data_[size_++] = *text;
    data_[size_] = '\0';
    return *this;
  }
  /// In decimal, with zeros before it up to `width` digits.
  FixedText& append_number(int64_t number, int width = 1) {
    if (number < 0) append("-");
    const auto positive = static_cast<uint64_t>(number);
    return append_digits(number < 0 ? ~positive + 1 : positive, 10, width);
  }
  FixedText& append_address(uint64_t address) { return append("0x").append_digits(address, 16, 1); }

  const char* c_str() const { return data_; }
  size_t size() const { return size_; }

 private:
  FixedText& append_digits(uint64_t number, uint64_t base, int width) {
    char digits[32];
    char* at = digits + sizeof digits;
    *--at = '\0';
    do {
      *--at = "0123456789abcdef"[number % base];
      number /= base;
      --width;
    } while (number != 0 || width > 0);
    return append(at);
  }

  char data_[4096] = "";
  size_t size_ = 0;
};

/// Appends "loss(), step 12" or "set_option(), scale".
inline void append_where(FixedText& text, const RunningCall& call) {
  text.append(call.function);
  if (call.detail != nullptr) text.append(", ").append(call.detail);
  if (call.step >= 0) text.append(", step ").append_number(call.step);
}

}  // namespace retort::host
