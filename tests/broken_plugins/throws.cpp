#include <stdexcept>

namespace {

/// Throws while the library is loaded.
struct Thrower {
  Thrower() { throw std::runtime_error("no licence on this machine"); }
} thrower;

}  // namespace
