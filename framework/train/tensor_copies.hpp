#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/GradMode.h>

#include <utility>
#include <vector>

#include "framework/bridge/parameter_set.hpp"

namespace retort::host {

/// Tensors as they were, to be put back.
class TensorCopies {
 public:
  enum class Of { Buffers, All };

  void add(const ParameterSet& owner, Of which) {
    for (const Parameter& parameter : owner.all()) {
      if (parameter.trained && which == Of::Buffers) continue;
      copies_.emplace_back(parameter.master.detach(), parameter.master.detach().clone());
    }
  }
  void put_back() const {
    const c10::NoGradGuard without_gradients;
    for (const auto& [tensor, before] : copies_) tensor.copy_(before);
  }

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> copies_;
};

}  // namespace retort::host
