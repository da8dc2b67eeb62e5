#include "framework/train/weight_average.hpp"

#include <ATen/ops/_foreach_lerp.h>
#include <c10/core/GradMode.h>

#include <algorithm>

namespace retort::host {

WeightAverage::WeightAverage(ParameterSet& parameters, double decay)
    : parameters_(parameters), decay_(decay) {
  for (const Parameter& parameter : parameters.all()) {
    averages_.emplace_back(parameter.name, parameter.master.detach().clone());
  }
}

void WeightAverage::update(int64_t n) {
  const c10::NoGradGuard without_gradients;
  const double count = static_cast<double>(n);
  const double decay = std::min(decay_, (1 + count) / (10 + count));
  std::vector<at::Tensor> averages, weights;
  for (size_t i = 0; i < averages_.size(); ++i) {
    const at::Tensor weight = parameters_.all()[i].master.detach();
    if (!weight.is_floating_point()) {  // a count has no mean
      averages_[i].second.copy_(weight);
      continue;
    }
    averages.push_back(averages_[i].second);
    weights.push_back(weight);
  }
  at::_foreach_lerp_(averages, weights, 1 - decay);
}

void WeightAverage::swap() {
  const c10::NoGradGuard without_gradients;
  for (size_t i = 0; i < averages_.size(); ++i) {
    const at::Tensor weights = parameters_.all()[i].master.detach();
    const at::Tensor kept = weights.clone();
    weights.copy_(averages_[i].second);
    averages_[i].second.copy_(kept);
  }
}

}  // namespace retort::host
