#include "framework/train/learner.hpp"

#include <map>
#include <utility>

#include "framework/train/finite.hpp"

namespace retort::host {
namespace {

std::vector<ParameterSet*> find_owners(const Phase& phase, const Participant& participant) {
  std::vector<ParameterSet*> owners = {&participant.network().parameters()};
  for (const auto& term : phase.terms) {
    if (term->parameters() != nullptr && term->learner() == participant.name)
      owners.push_back(term->parameters());
  }
  return owners;
}

void append(std::vector<NamedTensor>& all, const std::string& prefix,
            const std::vector<NamedTensor>& some) {
  for (const auto& [name, tensor] : some) all.emplace_back(prefix + name, tensor);
}

}  // namespace

Learner::Learner(const Phase& phase, const Participant& participant, std::string prefix)
    : participant_(participant),
      network_(participant.network()),
      prefix_(std::move(prefix)),
      optimizer_(phase.train, find_owners(phase, participant)) {
  if (phase.train.ema > 0) average_.emplace(network_.parameters(), phase.train.ema);
}

void Learner::average_weights(int64_t n) {
  if (average_) average_->update(n);
}

void Learner::swap_average() {
  if (average_) average_->swap();
}

std::vector<NamedTensor> Learner::weights() const {
  std::vector<NamedTensor> all;
  append(all, "network" + prefix_ + "/", named_weights(network_.parameters()));
  if (average_) append(all, "average" + prefix_ + "/", average_->tensors());
  return all;
}

std::vector<NamedTensor> Learner::optimizer_state() const {
  std::vector<NamedTensor> all;
  append(all, "optimizer" + prefix_ + "/", optimizer_.state());
  return all;
}

void Learner::restore_optimizer(const std::vector<NamedTensor>& all) {
  const std::string prefix = "optimizer" + prefix_ + "/";
  std::map<std::string, at::Tensor> own;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
  }
  optimizer_.restore(own);
}

std::string Learner::find_bad_weight() const {
  std::vector<NamedTensor> weights = named_weights(network_.parameters());
  if (average_) append(weights, "the average of ", average_->tensors());
  return find_not_finite(weights);
}

std::string Learner::find_bad_buffer() const {
  std::vector<NamedTensor> buffers;
  for (const Parameter& parameter : network_.parameters().all()) {
    if (!parameter.trained) buffers.emplace_back(parameter.name, parameter.master);
  }
  return find_not_finite(buffers);
}

std::vector<Learner> make_learners(const Phase& phase) {
  const std::vector<const Participant*> participants = phase.learners();
  std::vector<Learner> learners;
  learners.reserve(participants.size());
  for (const Participant* participant : participants) {
    learners.emplace_back(phase, *participant,
                          participants.size() > 1 ? "." + participant->name : "");
  }
  return learners;
}

}  // namespace retort::host
