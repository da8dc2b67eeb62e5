#pragma once

#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <string>

#include "framework/base/error.hpp"

namespace retort::host {

// What a plugin passes to the host's functions, looked at before anything is done with it.

/// A plugin calls a function of the host where it may not: on a thread of its own, outside of a
/// call, or in a wrong phase.
class ScopeError : public PluginError {
 public:
  using PluginError::PluginError;
};

/// Checks a name that the host keeps, shows and writes to files: 1 to 200 bytes of UTF-8 without
/// characters that are not seen, and without those `refused`; not of dots and spaces alone.
/// Inputs: what, as in "parameter".
/// Throws: PluginError.
void check_name(const std::string& what, const char* name, const char* refused = "");

/// Checks the sizes of a tensor that is to be made: at most RETORT_MAX_RANK of them, each at least
/// `least`, and their product small enough to be counted.
/// Inputs: what, as in "draw \"mask\" has".
/// Throws: ShapeError.
at::IntArrayRef check_sizes(const std::string& what, const int64_t* sizes, uint32_t rank,
                            int64_t least);

/// Whether a number of entries is not absurd, and they are there.
bool is_list(const void* entries, int64_t count);

/// Throws: PluginError where that is not so. Inputs: what, as in "the list of outputs of grad()".
void check_list(const std::string& what, const void* entries, int64_t count);

/// What a pointer points to. Throws: PluginError where it is null.
template <class T>
T& required(T* pointer, const char* what) {
  if (pointer == nullptr) {
    throw PluginError(std::string("the plugin passes a null pointer for ") + what +
                      "; it must point to one");
  }
  return *pointer;
}

}  // namespace retort::host
