// What a trainer is between two steps: saved, restored, and returned to after a step that is not
// finite.
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <map>

#include "framework/error.hpp"
#include "framework/train/trainer.hpp"

namespace retort::host {
namespace {

constexpr int64_t kMostSkippedInARow = 10;
constexpr int64_t kMostRollbacks = 3;

}  // namespace

std::string Trainer::bad_gradient(int64_t step) const {
  const std::string name = optimizer_.first_bad_gradient();
  return plan_.phase + ", step " + std::to_string(step) + ": the gradient" +
         (name.empty() ? "" : " of \"" + name + "\"") + " is not finite" + kNonFiniteRemedy;
}

/// Does with a step that is not finite what train.non_finite says.
void Trainer::recover(const std::string& problem) {
  optimizer_.zero_grad();
  switch (plan_.train.non_finite) {
    case NonFinite::Stop:
      throw NonFiniteError(problem);
    case NonFinite::Skip:
      if (++bad_in_a_row_ > kMostSkippedInARow) {
        throw NonFiniteError(problem + "; " + std::to_string(kMostSkippedInARow) +
                             " steps before it were skipped for the same");
      }
      ++state_.skipped;
      spdlog::warn("{}; the step is skipped", problem);
      return;
    case NonFinite::Rollback:
      break;
  }
  const int64_t rollbacks = state_.rollbacks + 1;
  if (rollbacks > kMostRollbacks) {
    throw NonFiniteError(problem + "; training was rolled back " + std::to_string(kMostRollbacks) +
                         " times before it, the learning rate halved each time");
  }
  const double factor = state_.lr_factor / 2;
  const double seconds = state_.train_seconds;
  restore(snapshot_state_, snapshot_);
  state_.rollbacks = rollbacks;
  state_.lr_factor = factor;
  state_.train_seconds = seconds;
  rolled_back_ = true;
  spdlog::warn("{}; back to the start of epoch {} with half the learning rate", problem,
               state_.epoch + 1);
}

std::vector<NamedTensor> Trainer::tensors() const {
  std::vector<NamedTensor> all;
  const auto add = [&](const std::string& prefix, const std::vector<NamedTensor>& list) {
    for (const auto& [name, tensor] : list) all.emplace_back(prefix + name, tensor);
  };
  add("network/", named_weights(plan_.student->parameters()));
  for (Transfer* transfer : plan_.transfers) {
    add("transfer/" + transfer->config().name + "/", named_weights(transfer->parameters()));
  }
  add("optimizer/", optimizer_.state());
  if (average_) add("average/", average_->tensors());
  for (const MetricSink::Entry& entry : metrics_.entries()) {
    all.emplace_back("metric/" + entry.name, entry.sum);
  }
  return all;
}

void Trainer::restore(const TrainingState& state, const std::vector<NamedTensor>& tensors) {
  std::map<std::string, at::Tensor> given(tensors.begin(), tensors.end());
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;  // to, from
  std::map<std::string, at::Tensor> optimizer;
  for (const auto& [name, tensor] : given) {
    if (name.starts_with("optimizer/")) optimizer.emplace(name.substr(10), tensor);
  }
  for (const auto& [name, tensor] : this->tensors()) {
    if (name.starts_with("optimizer/") || name.starts_with("metric/")) continue;
    const auto found = given.find(name);
    if (found == given.end() || found->second.sizes() != tensor.sizes()) {
      throw DataError("the checkpoint has no " + name + " of the shape that the " + plan_.phase +
                      " phase needs: it is of another experiment, or of another plugin");
    }
    copies.emplace_back(tensor.detach(), found->second);
  }
  const c10::NoGradGuard without_gradients;
  for (auto& [to, from] : copies) to.copy_(from);
  optimizer_.restore(optimizer);
  std::vector<MetricSink::Entry> metrics;
  for (const auto& [name, count] : state.metric_counts) {
    const auto found = given.find("metric/" + name);
    if (found != given.end()) {
      metrics.push_back({name, found->second.clone().to(plan_.student->placement().device), count});
    }
  }
  metrics_.restore(std::move(metrics));
  state_ = state;
  losses_.restart(state_);
}

TrainingState Trainer::state() const {
  TrainingState state = state_;
  state.metric_counts.clear();
  for (const MetricSink::Entry& entry : metrics_.entries()) {
    state.metric_counts.emplace_back(entry.name, entry.count);
  }
  return state;
}

}  // namespace retort::host
