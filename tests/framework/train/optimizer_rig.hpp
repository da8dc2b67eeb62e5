#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "framework/train/optimizer.hpp"

namespace retort::test {

constexpr int64_t kSize = 4;

/// Adds a parameter of four numbers.
inline void declare(host::ParameterSet& set, const char* name,
                    retort_role role = RETORT_ROLE_WEIGHT, double lr_scale = 1) {
  const double values[kSize] = {1, -0.5, 0.25, 2};
  retort_parameter_spec spec{};
  spec.struct_size = sizeof(spec);
  spec.name = name;
  spec.role = role;
  spec.rank = 1;
  spec.sizes = &kSize;
  spec.init = RETORT_INIT_VALUES;
  spec.values = values;
  spec.lr_scale = lr_scale;
  set.declare(spec, true);
}

inline void set_grad(host::ParameterSet& set, const char* name, const at::Tensor& grad) {
  set.find(name)->master.mutable_grad() = grad;
}

inline at::Tensor read_value(host::ParameterSet& set, const char* name) {
  return set.find(name)->master.detach().clone();
}

}  // namespace retort::test
