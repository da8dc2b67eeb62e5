#pragma once

#include <string>
#include <vector>

#include "framework/plugin/manifest.hpp"

namespace retort::host {

struct Operator;

/// The operators that one component uses beyond those of the SDK without listing them in its
/// declaration: they may be missing in a receiver's LibTorch, and `retort inspect` does not show them.
class UndeclaredOperators {
 public:
  /// Notes an operator that the component finds or calls; nothing where it is declared or wrapped.
  void note(const ComponentInfo* component, const Operator& op);
  /// Warns of what was noted since the last time; of each operator of a component once in a process.
  void warn(const ComponentInfo& component);

 private:
  std::vector<const Operator*> known_;
  size_t warned_ = 0;
};

/// The names that were warned of for a component, sorted. Threads: any.
std::vector<std::string> undeclared_operators(const ComponentInfo& component);

}  // namespace retort::host
