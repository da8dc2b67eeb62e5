#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/train/device.hpp"
#include "framework/train/trainer.hpp"
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
  return std::make_unique<host::Network>(role, config, input, placement, 1);
}

inline std::unique_ptr<host::Transfer> make_transfer(const std::string& strategy,
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
  return std::make_unique<host::Transfer>(config, device, 1);
}

/// Data, a student and perhaps a teacher, and the plan that trains them.
struct TrainingRig {
  explicit TrainingRig(const host::Placement& placement = {}, bool with_teacher = false)
      : views(data, data.normalize, {}, 1, placement.channels_last),
        student(make_network("student", data, placement)) {
    host::use_threads(1);  // sharing out so little work costs more than it saves
    plan.phase = with_teacher ? "distil" : "alone";
    plan.student = student.get();
    plan.data = &data;
    plan.student_views = &views;
    plan.batch_size = 16;
    plan.seed = 1;
    plan.train.epochs = 2;
    plan.train.optimizer.lr = 0.05;
    if (!with_teacher) return;
    teacher = make_network("teacher", data, placement, "convnet", {{"width", 1.5}});
    teacher->parameters().freeze();
    plan.teacher = teacher.get();
    plan.teacher_views = &views;
  }

  void add(std::unique_ptr<host::Transfer> transfer) {
    plan.transfers.push_back(transfer.get());
    transfers.push_back(std::move(transfer));
  }

  /// The mean of each loss term over the first steps, by name.
  std::map<std::string, double> losses_of(int64_t steps) {
    std::map<std::string, double> losses;
    host::Trainer trainer(plan);
    trainer.on_progress = [&](const host::Progress& progress) {
      losses = {progress.losses.begin(), progress.losses.end()};
    };
    trainer.run_steps(steps);
    return losses;
  }

  host::ImageData data = learnable_images();
  host::ViewMaker views;
  std::unique_ptr<host::Network> student, teacher;
  std::vector<std::unique_ptr<host::Transfer>> transfers;
  host::TrainingPlan plan;
};

}  // namespace retort::test
