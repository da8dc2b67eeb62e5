#include "framework/bridge/checks.hpp"

#include <cstring>
#include <string_view>

#include "framework/base/text.hpp"
#include "framework/io/safe_text.hpp"
#include "retort/abi.h"

namespace retort::host {
namespace {

constexpr size_t kLongestName = 200;                 // bytes
constexpr int64_t kLongestList = 65536;              // entries of a value, bytes of a text
constexpr int64_t kMostElements = int64_t{1} << 56;  // times 16 bytes it still is an int64

}  // namespace

void check_name(const std::string& what, const char* name, const char* refused) {
  if (name == nullptr || name[0] == '\0') {
    throw PluginError("a " + what + " without a name; give it one");
  }
  const std::string_view text(name, ::strnlen(name, kLongestName + 1));
  const std::string subject = what + " \"" + safe_line(text.substr(0, kLongestName)) + "\"";
  if (text.size() > kLongestName) {
    throw PluginError(subject + " has a name of more than " + std::to_string(kLongestName) +
                      " bytes; give it a shorter one");
  }
  if (safe_line(text) != text) {
    throw PluginError(subject +
                      " has a name with control characters, or that is no UTF-8; give it " +
                      "one of letters, digits, dots and underscores");
  }
  if (text.find_first_not_of(". ") == std::string_view::npos) {
    throw PluginError(subject + " has a name of dots and spaces alone; give it one of letters, " +
                      "digits, dots and underscores");
  }
  if (text.find_first_of(refused) != std::string_view::npos) {
    throw PluginError(subject + " has a name with \"" + refused + "\"; separate its parts by dots");
  }
}

at::IntArrayRef check_sizes(const std::string& what, const int64_t* sizes, uint32_t rank,
                            int64_t least) {
  if (rank > RETORT_MAX_RANK) {
    throw ShapeError(what + " " + std::to_string(rank) + " dimensions; at most " +
                     std::to_string(RETORT_MAX_RANK) + " are possible");
  }
  if (rank > 0) required(sizes, "the sizes of a tensor");
  const at::IntArrayRef shape(sizes, rank);
  int64_t elements = 1;
  bool too_many = false;
  for (const int64_t size : shape) {
    if (size < least) {
      throw ShapeError(what + " shape " + shape_text(shape) + "; every size must be at least " +
                       std::to_string(least));
    }
    too_many |= __builtin_mul_overflow(elements, size, &elements) || elements > kMostElements;
  }
  if (too_many) {
    throw ShapeError(what + " shape " + shape_text(shape) +
                     ", more elements than can be counted; check how it is computed");
  }
  return shape;
}

bool is_list(const void* entries, int64_t count) {
  return count >= 0 && count <= kLongestList && (count == 0 || entries != nullptr);
}

void check_list(const std::string& what, const void* entries, int64_t count) {
  if (count < 0 || count > kLongestList) {
    throw PluginError(what + " has " + std::to_string(count) + " entries; 0 to " +
                      grouped(kLongestList) + " are possible");
  }
  if (count > 0 && entries == nullptr) {
    throw PluginError(what + " has " + std::to_string(count) +
                      " entries and a null pointer; it must point to them");
  }
}

}  // namespace retort::host
