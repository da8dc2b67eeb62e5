#include "framework/exported/start_values.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <array>
#include <cmath>
#include <functional>
#include <string_view>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/base/random.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host::exported {
namespace {

constexpr size_t kNamesShown = 8;
constexpr std::string_view kPackage = "torch.nn.modules.";

/// A parameter with its module: "layer1.0.conv1.weight" of a Conv2d.
struct Owned {
  const Parameter& parameter;
  std::string path;        // "layer1.0.conv1"
  std::string last;        // "weight"
  std::string class_name;  // "Conv2d"; "" for a class that is not torch.nn's
};

Owned find_owner(const Parameter& parameter, const std::map<std::string, std::string>& classes) {
  const size_t dot = parameter.name.rfind('.');
  Owned owned = {parameter, dot == std::string::npos ? "" : parameter.name.substr(0, dot),
                 dot == std::string::npos ? parameter.name : parameter.name.substr(dot + 1), ""};
  const auto found = classes.find(owned.path);
  if (found != classes.end() && found->second.starts_with(kPackage))
    owned.class_name = found->second.substr(found->second.rfind('.') + 1);
  return owned;
}

template <size_t N>
bool is_one_of(const std::string& name, const std::array<std::string_view, N>& names) {
  for (const std::string_view known : names)
    if (name == known) return true;
  return false;
}

bool is_norm(const std::string& name) {
  constexpr std::array<std::string_view, 9> kNorms = {
      "BatchNorm1d",    "BatchNorm2d",   "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d",
      "InstanceNorm3d", "SyncBatchNorm", "LayerNorm",   "GroupNorm"};
  return is_one_of(name, kNorms) || name == "RMSNorm";
}

bool is_recurrent(const std::string& name) {
  constexpr std::array<std::string_view, 3> kRecurrent = {"LSTM", "GRU", "RNN"};
  return is_one_of(name, kRecurrent);
}

bool is_affine(const std::string& name) {
  constexpr std::array<std::string_view, 8> kAffine = {
      "Linear",          "Conv1d",          "Conv2d",          "Conv3d",
      "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "NonDynamicallyQuantizableLinear"};
  return is_one_of(name, kAffine);
}

/// How a parameter is filled: with one value, or with draws.
struct Start {
  enum class Kind { Unknown, Constant, Uniform, Normal };
  Kind kind = Kind::Unknown;
  double value = 0;  // or the bound, or the deviation
};

/// 1 / sqrt(fan_in) of the module's weight, which is [outputs, inputs, ..].
double find_bound(const ParameterSet& parameters, const Owned& owned) {
  for (const Parameter& parameter : parameters.all()) {
    if (parameter.name != owned.path + ".weight" &&
        parameter.name != owned.path + ".in_proj_weight")
      continue;
    const int64_t fan_in =
        parameter.master.numel() / std::max<int64_t>(parameter.master.size(0), 1);
    return fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  }
  return 0;
}

double find_recurrent_bound(const ParameterSet& parameters, const Owned& owned) {
  for (const Parameter& parameter : parameters.all())
    if (parameter.name == owned.path + ".weight_hh_l0")
      return 1 / std::sqrt(static_cast<double>(parameter.master.size(-1)));
  return 0;
}

Start choose_start(const ParameterSet& parameters, const Owned& owned) {
  const at::Tensor& value = owned.parameter.master;
  if (is_norm(owned.class_name)) return {Start::Kind::Constant, owned.last == "bias" ? 0.0 : 1.0};
  if (is_affine(owned.class_name)) return {Start::Kind::Uniform, find_bound(parameters, owned)};
  if (is_recurrent(owned.class_name))
    return {Start::Kind::Uniform, find_recurrent_bound(parameters, owned)};
  if (owned.class_name == "Embedding") return {Start::Kind::Normal, 1};
  if (owned.class_name == "PReLU") return {Start::Kind::Constant, 0.25};
  if (owned.class_name == "MultiheadAttention") {
    if (value.dim() < 2) return {Start::Kind::Constant, 0};
    const double fans = static_cast<double>(value.size(0) + value.size(1));
    return {Start::Kind::Uniform, std::sqrt(6 / fans)};
  }
  return {};
}

/// The statistics of a norm as they are before the first batch.
void reset_buffer(const Owned& owned) {
  if (!is_norm(owned.class_name)) return;
  at::Tensor value = owned.parameter.master.detach();
  value.fill_(owned.last == "running_var" ? 1 : 0);
}

void fill(const Owned& owned, const Start& start, const Philox& random) {
  at::Tensor value = owned.parameter.master.detach();
  if (start.kind == Start::Kind::Constant) {
    value.fill_(start.value);
    return;
  }
  const at::Tensor drawn = at::empty(value.sizes(), at::TensorOptions().dtype(at::kFloat));
  float* const out = drawn.mutable_data_ptr<float>();
  if (start.kind == Start::Kind::Uniform) {
    random.uniform(out, drawn.numel(), -start.value, start.value);
  } else {
    random.normal(out, drawn.numel(), 0, start.value);
  }
  value.copy_(drawn);
}

}  // namespace

void draw_start_values(ParameterSet& parameters,
                       const std::map<std::string, std::string>& module_classes, uint64_t seed) {
  std::vector<std::pair<Owned, Start>> starts;
  std::vector<std::string> unknown;
  for (const Parameter& parameter : parameters.all()) {
    const Owned owned = find_owner(parameter, module_classes);
    if (!parameter.counted) {
      starts.emplace_back(owned, Start());
      continue;
    }
    if (!parameter.trained) continue;  // it stays as it is
    const Start start = choose_start(parameters, owned);
    if (start.kind == Start::Kind::Unknown) unknown.push_back(parameter.name);
    starts.emplace_back(owned, start);
  }
  if (!unknown.empty()) {
    std::string names;
    for (size_t i = 0; i < unknown.size() && i < kNamesShown; ++i)
      names += (i == 0 ? "" : ", ") + safe_line(unknown[i]);
    if (unknown.size() > kNamesShown)
      names += " and " + std::to_string(unknown.size() - kNamesShown) + " more";
    throw DataError(
        "start = \"new\" knows the start values of torch.nn's modules alone, and not of " + names +
        "; leave start out, and export a new network for each seed");
  }
  const c10::NoGradGuard without_gradients;
  for (const auto& [owned, start] : starts) {
    if (!owned.parameter.counted) {
      reset_buffer(owned);
    } else {
      fill(owned, start,
           Philox(combine_key(seed, parameters.owner() + "/" + owned.parameter.name)));
    }
  }
}

}  // namespace retort::host::exported
