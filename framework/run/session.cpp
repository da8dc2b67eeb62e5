#include "framework/run/session.hpp"

#include <spdlog/spdlog.h>

#include <utility>

#include "framework/bridge/warnings.hpp"
#include "framework/run/check_images.hpp"
#include "framework/run/networks.hpp"
#include "framework/train/device.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

Placement placement_of(const RunConfig& run) {
  Placement placement;
  placement.device = choose_device(run.device);
  placement.bf16 = run.precision == Precision::Bf16;
  placement.channels_last = run.channels_last;
  choose_algorithms(placement.device, run.deterministic);
  return placement;
}

/// Once a session, though a student is made several times.
void warn_of_unused_rules(const std::string& role, const NetworkConfig& config) {
  if (!config.weights) return;
  for (const std::string& rule : find_unused_rules(*config.weights, config.rename)) {
    spdlog::warn("{}.rename: {} ({})", role, rule, config.weights->string());
  }
}

bool equal(const Normalize& a, const Normalize& b) {
  return a.mean == b.mean && a.stddev == b.stddev;
}

}  // namespace

Session::Session(const Experiment& experiment)
    : experiment_(experiment),
      threads_(use_threads(experiment.run.threads)),
      placement_(placement_of(experiment.run)),
      data_(load_images(experiment.data)) {
  forget_told_warnings();
  refuse_what_does_not_fit();
  if (experiment.teacher) warn_of_unused_rules("teacher", *experiment.teacher);
  warn_of_unused_rules("student", experiment.student);
  const Normalize& student = normalize_of(experiment.student);
  student_views_ = std::make_unique<ViewMaker>(data_, student, experiment.data.augment,
                                               experiment.seed, placement_.channels_last);
  if (experiment.teacher && !equal(normalize_of(*experiment.teacher), student)) {
    own_teacher_views_ = std::make_unique<ViewMaker>(data_, normalize_of(*experiment.teacher),
                                                     experiment.data.augment, experiment.seed,
                                                     placement_.channels_last);
  }
}

const Normalize& Session::normalize_of(const NetworkConfig& config) const {
  if (config.normalize) return *config.normalize;
  return experiment_.data.normalize ? *experiment_.data.normalize : data_.normalize;
}

/// What the images alone tell to be wrong, and then with it what the networks tell.
void Session::refuse_what_does_not_fit() const {
  Diagnostics mistakes;
  check_images(experiment_, data_, mistakes);
  if (mistakes.empty()) return;
  Failures failures(std::move(mistakes));
  collect_failures_of_networks(*this, failures);
  failures.throw_if_any();
}

std::unique_ptr<Network> Session::build(const std::string& role,
                                        const NetworkConfig& config) const {
  const InputShape input = {data_.channels, data_.height, data_.width, data_.class_count};
  return std::make_unique<Network>(role, config, input, placement_, experiment_.seed);
}

void Session::load(Network& network, const NetworkConfig& config) const {
  load_weights(network.parameters(), *config.weights, config.rename);
}

std::unique_ptr<Network> Session::make(const std::string& role, const NetworkConfig& config) const {
  auto network = build(role, config);
  if (config.weights) load(*network, config);
  return network;
}

RunShape Session::shape() const {
  Phase phase;
  phase.train = experiment_.train;
  phase.data = &data_;
  phase.batch_size = experiment_.data.batch_size;
  return make_run_shape(phase);
}

std::shared_ptr<Transfer> Session::make_transfer(const TransferConfig& config) const {
  return std::make_shared<Transfer>(config, placement_.device, experiment_.seed);
}

std::vector<std::shared_ptr<Transfer>> Session::make_transfers() const {
  std::vector<std::shared_ptr<Transfer>> transfers;
  for (const TransferConfig& config : experiment_.transfers) {
    transfers.push_back(make_transfer(config));
  }
  return transfers;
}

}  // namespace retort::host
