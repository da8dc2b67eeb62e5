#include "framework/train/loss_reader.hpp"

#include <ATen/ops/stack.h>

#include <cmath>

namespace retort::host {

void LossReader::add(const LossTerms& terms, const TrainingState& state) {
  if (losses_.empty()) first_step_ = state.step;
  losses_.push_back(terms.values);
}

std::optional<NotFinite> LossReader::read(TrainingState& state) {
  if (losses_.empty()) return std::nullopt;
  std::vector<at::Tensor> flat;
  for (const auto& values : losses_) flat.insert(flat.end(), values.begin(), values.end());
  for (const auto& [step, norm] : norms_) flat.push_back(norm);
  const at::Tensor read = at::stack(flat).to(at::kCPU, at::kDouble);
  const double* values = read.const_data_ptr<double>();
  const size_t terms = state.terms.size();
  const size_t losses = losses_.size() * terms;
  const auto norms = std::exchange(norms_, {});
  const int64_t steps = static_cast<int64_t>(std::exchange(losses_, {}).size());
  for (size_t i = 0; i < losses; ++i) {
    if (std::isfinite(values[i])) continue;
    return NotFinite{first_step_ + static_cast<int64_t>(i / terms), state.terms[i % terms],
                     values[i]};
  }
  for (size_t i = 0; i < norms.size(); ++i) {
    const double norm = values[losses + i];
    if (!std::isfinite(norm)) return NotFinite{norms[i].first, "", norm};
  }
  for (size_t i = 0; i < losses; ++i) state.loss_sums[i % terms] += values[i];
  state.loss_count += steps;
  take_means(state);
  return std::nullopt;
}

void LossReader::restart(const TrainingState& state) {
  losses_.clear();
  norms_.clear();
  take_means(state);
}

void LossReader::take_means(const TrainingState& state) {
  means_.clear();
  if (state.loss_count == 0) return;
  for (size_t term = 0; term < state.terms.size(); ++term) {
    means_.emplace_back(state.terms[term],
                        state.loss_sums[term] / static_cast<double>(state.loss_count));
  }
}

}  // namespace retort::host
