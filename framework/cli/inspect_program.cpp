#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/bridge/dtype.hpp"
#include "framework/cli/commands.hpp"
#include "framework/exported/dtype.hpp"
#include "framework/exported/program.hpp"
#include "framework/io/safe_text.hpp"
#include "framework/report/print.hpp"

namespace retort::host {
namespace {

using Json = nlohmann::ordered_json;
using exported::TensorForm;

constexpr int64_t kBatch = 2;  // a first dimension of 1 need not be the batch

/// "[N, 3, 32, 32] float32".
std::string describe(const TensorForm& form) {
  const std::string dtype = form.dtype == 0 ? "" : dtype_text(exported::find_dtype(form.dtype));
  return exported::describe_form(form) + " " + dtype;
}

struct TapShape {
  std::string name;
  std::vector<int64_t> shape;  // of two samples
};

/// Runs zeros through the program, for the shapes of its taps; nothing where a size is not known.
std::vector<TapShape> measure_taps(exported::Program& program) {
  std::vector<at::Tensor> inputs;
  for (const auto& [name, form] : program.inputs()) {
    std::vector<int64_t> sizes = form.sizes;
    if (!sizes.empty() && sizes[0] < 0) sizes[0] = kBatch;
    for (const int64_t size : sizes)
      if (size < 0) return {};
    inputs.push_back(at::zeros(sizes, at::TensorOptions().dtype(exported::find_dtype(form.dtype))));
  }
  const c10::NoGradGuard without_gradients;
  const exported::NamedDraws draws(0, "inspect", 0, nullptr);
  exported::PassSettings settings;
  settings.taps = program.taps();
  settings.draws = &draws;
  const exported::PassResult result = program.run(inputs, settings);
  std::vector<TapShape> taps;
  for (size_t i = 0; i < settings.taps.size(); ++i) {
    if (!result.taps[i].defined()) continue;
    taps.push_back({settings.taps[i], result.taps[i].sizes().vec()});
  }
  return taps;
}

struct Counts {
  int64_t parameters = 0, parameter_tensors = 0, buffer_tensors = 0, frozen = 0;
};

Counts count(const ParameterSet& parameters) {
  Counts counts;
  counts.parameters = parameters.parameter_count();
  for (const Parameter& parameter : parameters.all()) {
    ++(parameter.counted ? counts.parameter_tensors : counts.buffer_tensors);
    if (parameter.counted && !parameter.trained) ++counts.frozen;
  }
  return counts;
}

Json program_json(const exported::Program& program, const Counts& counts,
                  const std::vector<TapShape>& taps) {
  Json json = {{"torch", program.torch_version()},
               {"trains", program.train_refusal().empty()},
               {"inputs", Json::array()},
               {"outputs", Json::array()},
               {"parameters", counts.parameters},
               {"parameter_tensors", counts.parameter_tensors},
               {"frozen", counts.frozen},
               {"buffers", counts.buffer_tensors},
               {"operators", program.list_operators()},
               {"taps", Json::object()}};
  for (const auto& [name, form] : program.inputs())
    json["inputs"].push_back({{"name", name}, {"sizes", form.sizes}});
  for (const TensorForm& form : program.outputs()) json["outputs"].push_back(form.sizes);
  for (const TapShape& tap : taps) json["taps"][tap.name] = tap.shape;
  return json;
}

void print_program(const std::string& file, const exported::Program& program, const Counts& counts,
                   const std::vector<TapShape>& taps) {
  print_out("program    {}, written by torch {}\n", file, safe_line(program.torch_version()));
  const std::string refusal = program.train_refusal();
  print_out("trains     {}\n", refusal.empty() ? "yes" : "no: " + refusal);
  for (const auto& [name, form] : program.inputs())
    print_out("input      {:14} {}\n", safe_line(name), describe(form));
  for (size_t i = 0; i < program.outputs().size(); ++i)
    print_out("output#{:<4}{:14} {}\n", i, "", describe(program.outputs()[i]));
  print_out("parameters {} in {} tensors{}; {} buffers\n", grouped(counts.parameters),
            counts.parameter_tensors,
            counts.frozen == 0 ? "" : ", " + std::to_string(counts.frozen) + " of them frozen",
            counts.buffer_tensors);
  print_out("operators  {}\n", join(program.list_operators()));
  for (const TapShape& tap : taps)
    print_out("tap        {:30} {}\n", safe_line(tap.name), shape_text(tap.shape));
}

}  // namespace

void inspect_program(const std::string& file, const CommonOptions& common) {
  ParameterSet parameters(0, "network", at::kCPU);
  exported::Program program(file, parameters);
  if (!program.outputs().empty()) program.choose_logits(0);
  const std::vector<TapShape> taps = measure_taps(program);
  const Counts counts = count(parameters);
  if (common.json) {
    print_out("{}\n", json_text(program_json(program, counts, taps), 2));
  } else {
    print_program(file, program, counts, taps);
  }
}

}  // namespace retort::host
