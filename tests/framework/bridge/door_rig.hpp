#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "framework/bridge/door.hpp"
#include "framework/bridge/handle.hpp"
#include "framework/bridge/scope.hpp"
#include "retort/ops.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {

/// While it lives, this thread stands inside a plugin's function: the SDK's Tensor and operators
/// work as they do there.
class InPlugin {
 public:
  explicit InPlugin(host::PluginFunction function = host::PluginFunction::Loss,
                    at::ScalarType float_type = at::kFloat) {
    detail::attached_host = &host::host_table();
    scope.instance = "logits.mine";
    scope.function = function;
    scope.step = 12;
    scope.seed = 1;
    scope.float_type = float_type;
    entry_.emplace(scope);
  }

  host::Scope scope;

 private:
  std::optional<host::ScopeEntry> entry_;
};

inline Tensor to_plugin(const at::Tensor& tensor) {
  return Tensor::borrow(host::borrowed_value(tensor));
}

inline at::Tensor to_host(const Tensor& tensor) {
  return tensor.defined() ? host::tensor_of(tensor.value().as.tensor) : at::Tensor();
}

/// What the host says to a call that it refuses; "" when it takes it.
template <size_t N>
std::string refusal(const char* name, const char* overload, const Value (&arguments)[N]) {
  return message_of<retort::Error>([&] { Operator(name, overload).many(arguments, 8); });
}

}  // namespace retort::test
