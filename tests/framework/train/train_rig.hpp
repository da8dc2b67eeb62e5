#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/train/device.hpp"
#include "framework/train/loop.hpp"
#include "framework/train/task.hpp"
#include "tests/plugins/components.hpp"

namespace retort::test {

/// Learnable images of the built "synthetic" plugin, tested on what they are trained on.
inline host::ImageData learnable_images(int64_t count = 64, double noise = 0.5) {
  host::DataConfig config;
  config.dataset =
      choose(RETORT_KIND_DATASET, "synthetic",
             {{"train", count}, {"test", int64_t{1}}, {"size", int64_t{8}}, {"noise", noise}});
  host::ImageData data = host::load_images(config);
  data.test = data.train;
  return data;
}

/// A small network for such images.
inline std::unique_ptr<host::Network> make_network(const std::string& role,
                                                   const host::ImageData& data,
                                                   const host::Placement& placement = {},
                                                   const std::string& model = "convnet",
                                                   const Options& options = {}) {
  host::NetworkConfig config;
  config.model = choose(RETORT_KIND_MODEL, model, options);
  const host::InputShape input = {data.channels, data.height, data.width, data.class_count};
  return host::build_network(role, config, input, placement, 1);
}

inline std::shared_ptr<host::Transfer> make_transfer(const std::string& strategy,
                                                     const host::WeightSchedule& weight = {},
                                                     const std::vector<std::string>& taps = {},
                                                     const std::string& name = "",
                                                     at::Device device = at::kCPU) {
  host::TransferConfig config;
  config.name = name.empty() ? strategy : name;
  config.strategy = choose(RETORT_KIND_STRATEGY, strategy);
  config.weight = weight;
  config.bind_student = taps.empty() ? config.strategy.info.bind_student : taps;
  config.bind_teacher = taps.empty() ? config.strategy.info.bind_teacher : taps;
  return std::make_shared<host::Transfer>(config, device, 1);
}

/// Data, a student and perhaps a teacher, and the phase that trains the student.
struct TrainingRig {
  explicit TrainingRig(const host::Placement& placement = {}, bool with_teacher = false)
      : views(data, data.normalize, {}, 1, placement.channels_last),
        student(make_network("student", data, placement)) {
    host::use_threads(1);  // sharing out so little work costs more than it saves
    phase.name = with_teacher ? "distil" : "alone";
    phase.participants.push_back(
        {"student", std::make_shared<host::LiveNetwork>(*student), true, {{.maker = &views}}});
    set_task(1);
    phase.data = &data;
    phase.batch_size = 16;
    phase.seed = 1;
    phase.train.epochs = 2;
    phase.train.optimizer.lr = 0.05;
    if (!with_teacher) return;
    phase.participants.resize(2);
    use_teacher(make_network("teacher", data, placement, "convnet", {{"width", 1.5}}));
  }

  void use_student(std::unique_ptr<host::Network> network) {
    student = std::move(network);
    phase.participants[0].outputs = std::make_shared<host::LiveNetwork>(*student);
  }

  void use_teacher(std::unique_ptr<host::Network> network) {
    teacher = std::move(network);
    teacher->parameters().freeze();
    phase.participants[1] = {
        "teacher", std::make_shared<host::LiveNetwork>(*teacher), false, {{.maker = &views}}};
  }

  void set_task(double weight, double label_smoothing = 0) {
    phase.terms.resize(std::max<size_t>(phase.terms.size(), 1));
    phase.terms[0] = std::make_shared<host::CrossEntropyTask>("student", weight, label_smoothing);
  }

  void add(const std::shared_ptr<host::Transfer>& transfer) {
    phase.terms.push_back(transfer);
    transfers.push_back(transfer);
  }

  /// The mean of each loss term over the first steps, by name.
  std::map<std::string, double> losses_of(int64_t steps) {
    std::map<std::string, double> losses;
    host::Loop loop(phase);
    loop.on_progress = [&](const host::Progress& progress) {
      losses = {progress.losses.begin(), progress.losses.end()};
    };
    loop.run_steps(steps);
    return losses;
  }

  host::ImageData data = learnable_images();
  host::ViewMaker views;
  std::unique_ptr<host::Network> student, teacher;
  std::vector<std::shared_ptr<host::Transfer>> transfers;
  host::Phase phase;
};

/// Copies of a network's parameters and buffers, by name.
inline std::map<std::string, at::Tensor> state_of(const host::Network& network) {
  std::map<std::string, at::Tensor> state;
  for (const host::Parameter& parameter : network.parameters().all()) {
    state[parameter.name] = parameter.master.detach().clone();
  }
  return state;
}

/// The first batch that a loop with the rig's plan sees.
inline host::Batch first_batch(const TrainingRig& rig) {
  const host::Sampler sampler = make_sampler(rig.phase);
  host::Loader loader(rig.data, sampler, {{host::kImageField, &rig.views}}, rig.phase.seed,
                      rig.phase.mix);
  loader.start_epoch(0);
  return loader.next().value();
}

inline void expect_relative(double found, double wanted, double tolerance) {
  EXPECT_NEAR(found, wanted, tolerance * std::abs(wanted));
}

}  // namespace retort::test
