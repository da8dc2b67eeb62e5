// Training on a GPU against training on the CPU. Skipped where there is none.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "framework/base/error.hpp"
#include "framework/train/evaluate.hpp"
#include "tests/framework/data/images.hpp"
#include "tests/framework/train/gpu.hpp"
#include "tests/framework/train/train_rig.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {
namespace {

/// The losses of one step of distilling resnet20 into resnet8 by logits.kd on Fashion-MNIST's
/// shapes.
std::map<std::string, double> quickstart_losses(const host::Placement& placement) {
  const host::ImageData data = random_images(128, 1, 28, 28);
  const host::ViewMaker views(data, data.normalize, {{crop(2), flip()}}, 1,
                              placement.channels_last);
  const auto student = make_network("student", data, placement, "resnet", {{"depth", int64_t{8}}});
  const auto teacher = make_network("teacher", data, placement, "resnet", {{"depth", int64_t{20}}});
  teacher->parameters().freeze();
  const auto kd = make_transfer("logits.kd", {0.9, 0.9, 0, 0}, {}, "", placement.device);
  host::Phase phase;
  phase.name = "distil";
  phase.participants = {
      {"student", std::make_shared<host::LiveNetwork>(*student), true, {{.maker = &views}}},
      {"teacher", std::make_shared<host::LiveNetwork>(*teacher), false, {{.maker = &views}}}};
  phase.terms = {std::make_shared<host::CrossEntropyTask>("student", 0.1, 0), kd};
  phase.data = &data;
  phase.batch_size = 128;
  phase.seed = 1;
  host::Loop loop(phase);
  std::map<std::string, double> losses;
  loop.on_epoch = [&](const host::EpochReport& report) {
    losses = {report.losses.begin(), report.losses.end()};
  };
  loop.run();  // one epoch of one step
  return losses;
}

TEST(Cuda, TakesTheQuickstartsStepAsTheCpuDoes) {
  RETORT_NEEDS_GPU(device);
  host::Placement cpu, gpu;
  cpu.channels_last = gpu.channels_last = true;
  gpu.device = device;
  const auto wanted = quickstart_losses(cpu), found = quickstart_losses(gpu);
  EXPECT_EQ(wanted.size(), 3u);  // task, logits.kd, loss
  for (const auto& [name, value] : wanted) {
    EXPECT_NEAR(found.at(name), value, kDeviceTolerance * std::abs(value)) << name;
  }
}

TEST(Cuda, TakesItInBfloat16) {
  RETORT_NEEDS_GPU(device);
  host::Placement fp32, bf16;
  fp32.channels_last = bf16.channels_last = true;
  fp32.device = bf16.device = device;
  bf16.bf16 = true;
  const auto wanted = quickstart_losses(fp32), found = quickstart_losses(bf16);
  for (const auto& [name, value] : wanted) {
    EXPECT_NEAR(found.at(name), value, kBf16Tolerance * std::abs(value)) << name;
  }
}

TEST(Cuda, TellsAGradientThatIsNotFiniteByItsStep) {
  RETORT_NEEDS_GPU(device);
  host::Placement gpu;
  gpu.device = device;
  TrainingRig rig(gpu);
  rig.phase.train.optimizer.lr = 1e30;  // the first update ruins the weights
  try {
    host::Loop(rig.phase).run();
    FAIL() << "trained on";
  } catch (const host::NonFiniteError& error) {
    EXPECT_NE(std::string(error.what()).find("alone, step 1:"), std::string::npos) << error.what();
  }
}

TEST(Cuda, EvaluatesAsTheCpuDoes) {
  RETORT_NEEDS_GPU(device);
  host::Placement gpu;
  gpu.device = device;
  TrainingRig cpu_rig, gpu_rig(gpu);
  const auto evaluated = [](TrainingRig& rig) {
    return host::evaluate(*rig.student, rig.data, rig.views, 32, host::EvalSplit::Test);
  };
  EXPECT_EQ(evaluated(gpu_rig).correct, evaluated(cpu_rig).correct);
}

}  // namespace
}  // namespace retort::test
