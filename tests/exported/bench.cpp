// Milliseconds of a training step and of a forward pass of an exported network: beside bench.py, which
// runs the same in PyTorch.
// Usage: exported_bench NAME.pt2 NAME.ref.safetensors STEPS
#include <ATen/ops/_foreach_add.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/exported/reference.hpp"

namespace {

namespace exported = retort::host::exported;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

at::Tensor first_real(const exported::PassResult& result) {
  for (const c10::IValue& value : result.outputs)
    if (value.isTensor() && value.toTensor().is_floating_point()) return value.toTensor();
  return {};
}

void step(exported::Program& program, retort::host::ParameterSet& parameters,
          const retort::test::ExportedReference& reference, int64_t number) {
  const exported::NamedDraws draws(1, "network", number, nullptr);
  exported::PassSettings settings;
  settings.mode = exported::Mode::Train;
  settings.draws = &draws;
  first_real(program.run(reference.inputs(), settings))
      .mul(reference.projection())
      .sum()
      .backward();
  std::vector<at::Tensor> weights, gradients;
  for (const retort::host::Parameter& parameter : parameters.all()) {
    if (!parameter.master.grad().defined()) continue;
    weights.push_back(parameter.master.detach());
    gradients.push_back(parameter.master.grad());
  }
  at::_foreach_add_(weights, gradients, -1e-4);
  for (const retort::host::Parameter& parameter : parameters.all())
    parameter.master.mutable_grad().reset();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const retort::test::ExportedReference reference(argv[2]);
  retort::host::ParameterSet parameters(1, "network", at::kCPU);
  exported::Program program(argv[1], parameters);
  std::vector<double> steps, forwards;
  const int count = std::atoi(argv[3]);
  for (int i = -2; i < count; ++i) {
    const auto start = Clock::now();
    step(program, parameters, reference, i + 2);
    if (i >= 0) steps.push_back(milliseconds_since(start));
  }
  parameters.freeze();
  for (int i = -2; i < count; ++i) {
    const c10::NoGradGuard without_gradients;
    const auto start = Clock::now();
    program.run(reference.inputs(), {});
    if (i >= 0) forwards.push_back(milliseconds_since(start));
  }
  std::printf("{\"step_ms\": %.3f, \"forward_ms\": %.3f}\n", median(steps), median(forwards));
  return 0;
}
