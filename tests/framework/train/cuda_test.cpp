// The quickstart's step on a GPU. Skipped where there is none.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "framework/error.hpp"
#include "framework/train/device.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/framework/train/train_rig.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

/// The losses of one step of distilling resnet20 into resnet8 by logits.kd on Fashion-MNIST's
/// shapes.
std::map<std::string, double> quickstart_losses(const host::Placement& placement) {
  const host::ImageData data = random_images(128, 1, 28, 28);
  const host::ViewMaker views = views_of(data, {crop(2), flip()}, 1, placement.channels_last);
  const auto student = make_network("student", data, placement, "resnet", {{"depth", int64_t{8}}});
  const auto teacher = make_network("teacher", data, placement, "resnet", {{"depth", int64_t{20}}});
  teacher->parameters().freeze();
  const auto kd = make_transfer("logits.kd", {0.9, 0.9, 0, 0}, {}, "", placement.device);
  host::TrainingPlan plan;
  plan.phase = "distil";
  plan.student = student.get();
  plan.teacher = teacher.get();
  plan.transfers = {kd.get()};
  plan.task_weight = 0.1;
  plan.data = &data;
  plan.student_views = plan.teacher_views = &views;
  plan.batch_size = 128;
  plan.seed = 1;
  host::Trainer trainer(plan);
  std::map<std::string, double> losses;
  trainer.on_epoch = [&](const host::EpochReport& report) {
    losses = {report.losses.begin(), report.losses.end()};
  };
  trainer.run();  // one epoch of one step
  return losses;
}

TEST(Cuda, TakesTheQuickstartsStepAsTheCpuDoes) {
  host::Placement gpu;
  gpu.channels_last = true;
  try {
    gpu.device = host::choose_device(host::DeviceChoice::Cuda);
  } catch (const host::EnvironmentError& reason) {
    GTEST_SKIP() << reason.what();
  }
  host::Placement cpu = gpu;
  cpu.device = at::kCPU;
  const auto wanted = quickstart_losses(cpu), found = quickstart_losses(gpu);
  EXPECT_EQ(wanted.size(), 3u);  // task, logits.kd, loss
  for (const auto& [name, value] : wanted) {
    EXPECT_NEAR(found.at(name), value, kDeviceTolerance * std::abs(value)) << name;
  }
}

}  // namespace
}  // namespace retort::test
