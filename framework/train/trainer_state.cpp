// What a trainer is between two steps: saved, restored, and returned to after a step that is not
// finite.
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>

#include "framework/base/error.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/trainer.hpp"

namespace retort::host {
namespace {

constexpr std::string_view kRollbackPrefix = "rollback/";

std::map<std::string, at::Tensor> map_of(const std::vector<NamedTensor>& tensors) {
  return {tensors.begin(), tensors.end()};
}

}  // namespace

/// What a message on a step that is not finite ends with, by whether there was an update before it.
const char* Trainer::remedy_at(int64_t step) const {
  const int64_t batches = sampler_.batches_per_epoch(), group = phase_.train.accumulate;
  const int64_t groups_before =
      step / batches * ((batches + group - 1) / group) + step % batches / group;
  return groups_before <= state_.skipped ? kNonFiniteAtStartRemedy : kNonFiniteRemedy;
}

std::string Trainer::find_bad_gradient(int64_t step) const {
  const std::string name = optimizer_.first_bad_gradient();
  return phase_.name + ", step " + std::to_string(step) + ": the gradient" +
         (name.empty() ? "" : " of \"" + name + "\"") + " is not finite" + remedy_at(step);
}

/// What the forward pass of a good loss left in the student's buffers, where the step can still be
/// undone.
std::string Trainer::find_bad_buffer() const {
  if (phase_.train.non_finite == NonFinite::Stop) return "";
  std::vector<NamedTensor> buffers;
  for (const Parameter& parameter : student_.parameters().all()) {
    if (!parameter.trained) buffers.emplace_back(parameter.name, parameter.master);
  }
  const std::string bad = find_not_finite(buffers);
  if (bad.empty()) return "";
  return phase_.name + ", step " + std::to_string(state_.step) + ": the buffer " + bad +
         remedy_at(state_.step);
}

/// At the end of an epoch: weights that are not finite are neither evaluated nor saved as a result,
/// nor do they become what a rollback returns to.
void Trainer::check_weights() {
  if (state_.step_in_epoch < sampler_.batches_per_epoch()) return;
  std::vector<NamedTensor> weights = named_weights(student_.parameters());
  if (average_) {
    for (const auto& [name, tensor] : average_->tensors()) {
      weights.emplace_back("the average of " + name, tensor);
    }
  }
  std::string bad = find_not_finite(weights);
  if (bad.empty()) return;
  bad = phase_.name + ", after epoch " + std::to_string(state_.epoch + 1) + ": " + bad +
        " in the " + student_.role() + kNonFiniteRemedy;
  if (phase_.train.non_finite != NonFinite::Rollback) throw NonFiniteError(bad);
  roll_back(bad);
}

/// At the end: tells how many steps were skipped. A network that no step has trained is no result.
void Trainer::check_skipped() const {
  if (state_.skipped == 0) return;
  const int64_t batches = sampler_.batches_per_epoch(), group = phase_.train.accumulate;
  const int64_t steps = state_.epoch * ((batches + group - 1) / group);
  if (state_.skipped >= steps) {
    throw NonFiniteError(phase_.name + ": all of its " + std::to_string(steps) +
                         " steps were skipped, so that nothing was learnt" +
                         kNonFiniteAtStartRemedy);
  }
  spdlog::warn("{}: {} of {} steps were skipped", phase_.name, state_.skipped, steps);
}

void Trainer::note_start() {
  constexpr int64_t kNumbers = 64;
  for (const Parameter& parameter : student_.parameters().all()) {
    if (!parameter.trained || !parameter.master.requires_grad()) continue;
    // Of its memory, whatever its layout.
    const at::Tensor numbers = parameter.master.detach();
    const at::Tensor some = numbers.as_strided({std::min(kNumbers, numbers.numel())}, {1});
    start_.emplace_back(some, some.clone());
  }
}

/// After the first epoch: whether anything was learnt at all.
void Trainer::warn_of_idle_weights() {
  const auto stays = [](const auto& entry) { return entry.first.equal(entry.second); };
  if (!start_.empty() && std::all_of(start_.begin(), start_.end(), stays)) {
    spdlog::warn(
        "{}: no weight of the {} moved in the first epoch; raise the learning rate, "
        "train.clip_norm, or "
        "the weights of the terms",
        phase_.name, student_.role());
  }
  start_.clear();
}

/// Does with a step that is not finite what train.non_finite says.
void Trainer::recover(const std::string& problem) {
  optimizer_.zero_grad();
  switch (phase_.train.non_finite) {
    case NonFinite::Stop:
      throw NonFiniteError(problem);
    case NonFinite::Skip:
      step_memory_->put_back(state_, metrics_);
      losses_.restart(state_);
      passing_over_ = mid_accumulation();
      return count_skipped_step(state_, problem, group_size(state_.step_in_epoch - 1));
    case NonFinite::Rollback:
      return roll_back(problem);
  }
}

void Trainer::roll_back(const std::string& problem) {
  const TrainingState back = make_rolled_back_state(*rollback_point_, state_, problem);
  put_back(back, map_of(rollback_point_->tensors));
  rolled_back_ = true;
}

std::vector<NamedTensor> Trainer::current_tensors() const {
  std::vector<NamedTensor> all;
  const auto add = [&](const std::string& prefix, const std::vector<NamedTensor>& list) {
    for (const auto& [name, tensor] : list) all.emplace_back(prefix + name, tensor);
  };
  add("network/", named_weights(student_.parameters()));
  for (const auto& term : phase_.terms) {
    if (term->parameters() == nullptr) continue;
    add("transfer/" + term->name() + "/", named_weights(*term->parameters()));
  }
  add("optimizer/", optimizer_.state());
  if (average_) add("average/", average_->tensors());
  for (const MetricSink::Entry& entry : metrics_.entries()) {
    all.emplace_back("metric/" + entry.name, entry.sum);
  }
  return all;
}

/// Between two epochs the state itself is what a rollback would return to.
bool Trainer::holds_rollback_point() const {
  return phase_.train.non_finite == NonFinite::Rollback && rollback_point_ &&
         state_.step_in_epoch > 0;
}

std::vector<NamedTensor> Trainer::tensors() const {
  std::vector<NamedTensor> all = current_tensors();
  if (!holds_rollback_point()) return all;
  for (const auto& [name, tensor] : rollback_point_->tensors) {
    all.emplace_back(std::string(kRollbackPrefix) + name, tensor);
  }
  return all;
}

std::optional<TrainingState> Trainer::rollback_state() const {
  if (!holds_rollback_point()) return std::nullopt;
  return rollback_point_->state;
}

/// The tensors of this trainer with the given ones of their names, to copy from; those of optimizer
/// and metrics, which come and go, left out.
std::vector<std::pair<at::Tensor, at::Tensor>> Trainer::match(const NamedMap& given) const {
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs;
  for (const auto& [name, tensor] : current_tensors()) {
    if (name.starts_with("optimizer/") || name.starts_with("metric/")) continue;
    const auto found = given.find(name);
    if (found == given.end() || found->second.sizes() != tensor.sizes()) {
      throw DataError("the checkpoint has no " + name + " of the shape that the " + phase_.name +
                      " phase needs: it is of another experiment, or of another plugin");
    }
    pairs.emplace_back(tensor.detach(), found->second);
  }
  return pairs;
}

void Trainer::put_back(const TrainingState& state, const NamedMap& given) {
  const auto copies = match(given);
  const c10::NoGradGuard without_gradients;
  for (const auto& [to, from] : copies) to.copy_(from);
  NamedMap optimizer;
  for (const auto& [name, tensor] : given) {
    if (name.starts_with("optimizer/")) optimizer.emplace(name.substr(10), tensor);
  }
  optimizer_.restore(optimizer);
  std::vector<MetricSink::Entry> metrics;
  for (const auto& [name, count] : state.metric_counts) {
    const auto found = given.find("metric/" + name);
    if (found != given.end()) {
      metrics.push_back({name, found->second.clone().to(student_.placement().device), count});
    }
  }
  metrics_.restore(std::move(metrics));
  state_ = state;
  losses_.restart(state_);
}

void Trainer::restore(const TrainingState& state, const std::vector<NamedTensor>& tensors,
                      const std::optional<TrainingState>& rollback) {
  NamedMap now;
  RollbackPoint point;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(kRollbackPrefix)) {
      point.tensors.emplace_back(name.substr(kRollbackPrefix.size()), tensor);
    } else {
      now.emplace(name, tensor);
    }
  }
  if (rollback) match(map_of(point.tensors));
  put_back(state, now);
  rollback_point_.reset();
  if (phase_.train.non_finite != NonFinite::Rollback || state.step_in_epoch == 0) return;
  if (rollback) {
    point.state = *rollback;
    rollback_point_ = std::move(point);
    return;
  }
  spdlog::warn(
      "{}: the saved state, of an older version, does not hold the start of epoch {}; a rollback "
      "in "
      "this epoch will return to its step {}, and the run may then end with other bytes",
      phase_.name, state.epoch + 1, state.step);
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
