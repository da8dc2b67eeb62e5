// What a loop is between two steps: saved, restored, and returned to after a step that is not
// finite.
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <string_view>

#include "framework/base/error.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/loop.hpp"

namespace retort::host {
namespace {

constexpr std::string_view kRollbackPrefix = "rollback/";

}  // namespace

/// What a message on a step that is not finite ends with, by whether there was an update before it.
const char* Loop::remedy_at(int64_t step) const {
  const int64_t batches = sampler_.batches_per_epoch(), group = phase_.train.accumulate;
  const int64_t groups_before =
      step / batches * ((batches + group - 1) / group) + step % batches / group;
  return groups_before <= state_.skipped ? kNonFiniteAtStartRemedy : kNonFiniteRemedy;
}

std::string Loop::find_bad_gradient(int64_t step) const {
  std::string name;
  for (const Learner& learner : learners_)
    if (name.empty()) name = learner.optimizer().first_bad_gradient();
  return phase_.name + ", step " + std::to_string(step) + ": the gradient" +
         (name.empty() ? "" : " of \"" + name + "\"") + " is not finite" + remedy_at(step);
}

/// What the forward pass of a good loss left in a learner's buffers, where the step can still be undone.
std::string Loop::find_bad_buffer() const {
  if (!policy_.undoes()) return "";
  for (const Learner& learner : learners_) {
    const std::string bad = learner.find_bad_buffer();
    if (bad.empty()) continue;
    return phase_.name + ", step " + std::to_string(state_.step) + ": the buffer " + bad +
           remedy_at(state_.step);
  }
  return "";
}

/// At the end of an epoch: weights that are not finite are neither evaluated nor saved as a result,
/// nor do they become what a rollback returns to.
void Loop::check_weights() {
  if (state_.step_in_epoch < sampler_.batches_per_epoch()) return;
  for (const Learner& learner : learners_) {
    const std::string bad = learner.find_bad_weight();
    if (bad.empty()) continue;
    policy_.recover_weights(phase_.name + ", after epoch " + std::to_string(state_.epoch + 1) +
                                ": " + bad + " in the " + learner.participant().name +
                                kNonFiniteRemedy,
                            state_);
    return roll_back();
  }
}

/// At the end: tells how many steps were skipped. A network that no step has trained is no result.
void Loop::check_skipped() const {
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

void Loop::note_start() {
  constexpr int64_t kNumbers = 64;
  for (const Learner& learner : learners_) {
    auto& start = start_.emplace_back();
    for (const Parameter& parameter : learner.network().parameters().all()) {
      if (!parameter.trained || !parameter.master.requires_grad()) continue;
      // Of its memory, whatever its layout.
      const at::Tensor numbers = parameter.master.detach();
      const at::Tensor some = numbers.as_strided({std::min(kNumbers, numbers.numel())}, {1});
      start.emplace_back(some, some.clone());
    }
  }
}

/// After the first epoch: whether anything was learnt at all.
void Loop::warn_of_idle_weights() {
  const auto stays = [](const auto& entry) { return entry.first.equal(entry.second); };
  for (size_t i = 0; i < start_.size(); ++i) {
    const std::string& name = learners_[i].participant().name;
    const auto teaches = [&](const auto& term) {
      const bool acts = term->weight_at(0) != 0 || term->weight_at(1) != 0;
      return term->learner() == name && acts;
    };
    if (start_[i].empty() || !std::all_of(start_[i].begin(), start_[i].end(), stays) ||
        std::none_of(phase_.terms.begin(), phase_.terms.end(), teaches)) {
      continue;
    }
    spdlog::warn(
        "{}: no weight of the {} moved in the first epoch; raise the learning rate, "
        "train.clip_norm, or "
        "the weights of the terms",
        phase_.name, name == kStudentName || name == kTeacherName ? name : "network " + name);
  }
  start_.clear();
}

/// Does with a step that is not finite what train.non_finite says.
void Loop::recover(const std::string& problem) {
  for (Learner& learner : learners_) learner.optimizer().zero_grad();
  const int64_t batches = group_size(state_.step_in_epoch - 1);
  if (policy_.recover(problem, batches, state_, metrics_) == NonFinitePolicy::Done::RolledBack)
    return roll_back();
  losses_.restart(state_);
  passing_over_ = mid_accumulation();
}

/// The state is the point's already.
void Loop::roll_back() {
  put_back(TrainingState(state_), policy_.point()->tensors);
  rolled_back_ = true;
}

std::vector<NamedTensor> Loop::current_tensors() const {
  std::vector<NamedTensor> all;
  const auto add = [&](const std::string& prefix, const std::vector<NamedTensor>& list) {
    for (const auto& [name, tensor] : list) all.emplace_back(prefix + name, tensor);
  };
  for (const Learner& learner : learners_) add("", learner.weights());
  for (const auto& term : phase_.terms) {
    if (term->parameters() == nullptr) continue;
    add("transfer/" + term->name() + "/", named_weights(*term->parameters()));
  }
  for (const Learner& learner : learners_) add("", learner.optimizer_state());
  for (const MetricSink::Entry& entry : metrics_.entries()) {
    all.emplace_back("metric/" + entry.name, entry.sum);
  }
  return all;
}

/// Between two epochs the state itself is what a rollback would return to.
bool Loop::holds_rollback_point() const {
  return policy_.rolls_back() && policy_.point() && state_.step_in_epoch > 0;
}

std::vector<NamedTensor> Loop::tensors() const {
  std::vector<NamedTensor> all = current_tensors();
  if (!holds_rollback_point()) return all;
  for (const auto& [name, tensor] : policy_.point()->tensors) {
    all.emplace_back(std::string(kRollbackPrefix) + name, tensor);
  }
  return all;
}

std::optional<TrainingState> Loop::rollback_state() const {
  if (!holds_rollback_point()) return std::nullopt;
  return policy_.point()->state;
}

/// The tensors of this training with the given ones of their names, to copy from; those of optimizers
/// and metrics, which come and go, left out.
std::vector<std::pair<at::Tensor, at::Tensor>> Loop::match(
    const std::vector<NamedTensor>& given) const {
  const std::map<std::string, at::Tensor> by_name(given.begin(), given.end());
  std::vector<std::pair<at::Tensor, at::Tensor>> pairs;
  for (const auto& [name, tensor] : current_tensors()) {
    if (name.starts_with("optimizer") || name.starts_with("metric/")) continue;
    const auto found = by_name.find(name);
    if (found == by_name.end() || found->second.sizes() != tensor.sizes()) {
      throw DataError("the checkpoint has no " + name + " of the shape that the " + phase_.name +
                      " phase needs: it is of another experiment, or of another plugin");
    }
    pairs.emplace_back(tensor.detach(), found->second);
  }
  return pairs;
}

void Loop::put_back(const TrainingState& state, const std::vector<NamedTensor>& given) {
  const auto copies = match(given);
  {
    const c10::NoGradGuard without_gradients;
    for (const auto& [to, from] : copies) to.copy_(from);
  }
  for (Learner& learner : learners_) learner.restore_optimizer(given);
  std::vector<MetricSink::Entry> metrics;
  for (const auto& [name, count] : state.metric_counts) {
    const auto found = std::find_if(given.begin(), given.end(), [&](const NamedTensor& tensor) {
      return tensor.first == "metric/" + name;
    });
    if (found == given.end()) continue;
    metrics.push_back({name, found->second.clone().to(phase_.placement().device), count});
  }
  metrics_.restore(std::move(metrics));
  state_ = state;
  losses_.restart(state_);
}

void Loop::restore(const TrainingState& state, const std::vector<NamedTensor>& tensors,
                   const std::optional<TrainingState>& rollback) {
  std::vector<NamedTensor> now;
  RollbackPoint point;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(kRollbackPrefix)) {
      point.tensors.emplace_back(name.substr(kRollbackPrefix.size()), tensor);
    } else {
      now.emplace_back(name, tensor);
    }
  }
  if (state.standings.size() != learners_.size()) {
    throw DataError("the checkpoint is of " + std::to_string(state.standings.size()) +
                    " networks that learn, and the " + phase_.name + " phase has " +
                    std::to_string(learners_.size()) + ": it is of another experiment");
  }
  if (rollback) match(point.tensors);
  put_back(state, now);
  policy_.forget_point();
  if (!policy_.rolls_back() || state.step_in_epoch == 0) return;
  if (rollback) {
    point.state = *rollback;
    return policy_.set_point(std::move(point));
  }
  spdlog::warn(
      "{}: the saved state, of an older version, does not hold the start of epoch {}; a rollback "
      "in "
      "this epoch will return to its step {}, and the run may then end with other bytes",
      phase_.name, state.epoch + 1, state.step);
}

TrainingState Loop::state() const {
  TrainingState state = state_;
  state.metric_counts.clear();
  for (const MetricSink::Entry& entry : metrics_.entries()) {
    state.metric_counts.emplace_back(entry.name, entry.count);
  }
  return state;
}

}  // namespace retort::host
