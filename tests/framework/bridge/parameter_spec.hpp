#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "retort/abi.h"

namespace retort::test {

/// A declaration whose sizes live as long as it.
struct Spec : retort_parameter_spec {
  Spec(const char* its_name, std::vector<int64_t> its_sizes, retort_init_kind kind, double a = 0,
       double b = 0)
      : retort_parameter_spec{}, kept(std::move(its_sizes)) {
    struct_size = sizeof(retort_parameter_spec);
    name = its_name;
    rank = static_cast<uint32_t>(kept.size());
    sizes = kept.data();
    init = kind;
    init_a = a;
    init_b = b;
    lr_scale = 1;
  }
  std::vector<int64_t> kept;
};

}  // namespace retort::test
