#include "framework/bridge/parameter_set.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <c10/core/GradMode.h>
#include <c10/util/accumulate.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "framework/base/random.hpp"
#include "framework/base/text.hpp"
#include "framework/bridge/checks.hpp"
#include "framework/bridge/lent_tensors.hpp"

namespace retort::host {
namespace {

/// PyTorch's rule: dimension 0 counts outputs, dimension 1 inputs, the rest is the receptive field.
int64_t fan(const retort_parameter_spec& spec, bool out) {
  if (spec.rank < 2) {
    throw PluginError("parameter \"" + std::string(spec.name) + "\" " +
                      shape_text({spec.sizes, spec.rank}) +
                      ": a kaiming or xavier start needs at least 2 dimensions");
  }
  int64_t field = 1;
  for (uint32_t i = 2; i < spec.rank; ++i) field *= spec.sizes[i];
  return spec.sizes[out ? 0 : 1] * field;
}

void draw(float* out, int64_t count, const retort_parameter_spec& spec, const Philox& random) {
  const double a = spec.init_a, b = spec.init_b;
  const auto kaiming = [&] {
    return std::sqrt(2 / (1 + a * a)) / std::sqrt(static_cast<double>(fan(spec, b != 0)));
  };
  const auto xavier = [&] {
    return a * std::sqrt(2.0 / static_cast<double>(fan(spec, false) + fan(spec, true)));
  };
  const auto uniform = [&](double stddev) {
    const double bound = std::sqrt(3.0) * stddev;
    random.uniform(out, count, -bound, bound);
  };
  switch (spec.init) {
    case RETORT_INIT_UNIFORM:
      return random.uniform(out, count, a, b);
    case RETORT_INIT_NORMAL:
      return random.normal(out, count, a, b);
    case RETORT_INIT_KAIMING_UNIFORM:
      return uniform(kaiming());
    case RETORT_INIT_KAIMING_NORMAL:
      return random.normal(out, count, 0, kaiming());
    case RETORT_INIT_XAVIER_UNIFORM:
      return uniform(xavier());
    case RETORT_INIT_XAVIER_NORMAL:
      return random.normal(out, count, 0, xavier());
    default:
      throw PluginError("parameter \"" + std::string(spec.name) +
                        "\": there is no initialiser number " + std::to_string(spec.init) +
                        "; this host knows 0 to 7");
  }
}

/// The start values in the type wanted: exact where they are given, else drawn as float32.
at::Tensor start_values(const retort_parameter_spec& spec, const Philox& random,
                        at::ScalarType type) {
  const at::IntArrayRef sizes(spec.sizes, spec.rank);
  if (spec.init == RETORT_INIT_CONSTANT) {
    return at::full(sizes, spec.init_a, at::TensorOptions().dtype(type));
  }
  if (spec.init == RETORT_INIT_VALUES) {
    const at::Tensor given = at::empty(sizes, at::TensorOptions().dtype(at::kDouble));
    std::copy(spec.values, spec.values + given.numel(), given.mutable_data_ptr<double>());
    return given.to(type);
  }
  const at::Tensor drawn = at::empty(sizes, at::TensorOptions().dtype(at::kFloat));
  draw(drawn.mutable_data_ptr<float>(), drawn.numel(), spec, random);
  return drawn.to(type);
}

[[noreturn]] void refuse_start(const retort_parameter_spec& spec, const std::string& what) {
  throw PluginError("parameter \"" + std::string(spec.name) + "\": " + what);
}

void check_values(const retort_parameter_spec& spec, bool trained) {
  if (spec.values == nullptr) refuse_start(spec, "its start values are a null pointer; give them");
  const int64_t count = c10::multiply_integers(at::IntArrayRef(spec.sizes, spec.rank));
  const double* end = spec.values + count;
  const double* bad =
      std::find_if(spec.values, end, [](double value) { return !std::isfinite(value); });
  if (!trained || bad == end) return;
  refuse_start(spec, fmt::format("its start value {} is {}; every one must be finite",
                                 bad - spec.values, *bad));
}

void check_start(const retort_parameter_spec& spec, bool trained) {
  const double a = spec.init_a, b = spec.init_b;
  const bool is_constant = spec.init == RETORT_INIT_CONSTANT;
  if (spec.init == RETORT_INIT_VALUES) return check_values(spec, trained);
  // A buffer may start at infinity: a minimum that is to come does.
  if ((trained || !is_constant) && (!std::isfinite(a) || !std::isfinite(is_constant ? 0 : b))) {
    refuse_start(spec, fmt::format("it starts from {} and {}; both must be finite", a, b));
  }
  if (spec.init == RETORT_INIT_UNIFORM && a > b) {
    refuse_start(spec,
                 fmt::format("there is no number in [{}, {}); the lower bound comes first", a, b));
  }
  if (spec.init == RETORT_INIT_NORMAL && b < 0) {
    refuse_start(spec, fmt::format("its standard deviation is {}; it must be at least 0", b));
  }
}

void check_spec(const retort_parameter_spec& spec, bool trained) {
  check_name("parameter", spec.name, "/");
  if (std::string_view(spec.name) == "__metadata__") {
    refuse_start(spec, "files of weights have this name for something else; give it another");
  }
  check_sizes("parameter \"" + std::string(spec.name) + "\" is declared with", spec.sizes,
              spec.rank, 1);
  if (!trained) return check_start(spec, trained);
  if (spec.role < RETORT_ROLE_WEIGHT || spec.role > RETORT_ROLE_NORM) {
    refuse_start(spec,
                 fmt::format("there is no role number {}; this host knows 0 to 2", spec.role));
  }
  if (!(spec.lr_scale >= 0) || std::isinf(spec.lr_scale)) {
    refuse_start(spec, fmt::format("its lr_scale is {}; it must be a finite number of at least 0",
                                   spec.lr_scale));
  }
  check_start(spec, trained);
}

}  // namespace

int64_t ParameterSet::declare(const retort_parameter_spec& spec, bool trained) {
  check_spec(spec, trained);
  if (find(spec.name) != nullptr) {
    throw PluginError("parameter \"" + std::string(spec.name) +
                      "\" is declared twice; give each a name of its own");
  }
  Parameter parameter;
  parameter.name = spec.name;
  parameter.role = static_cast<retort_role>(spec.role);
  parameter.lr_scale = spec.lr_scale;
  parameter.trained = parameter.counted = trained;
  const Philox random(combine_key(seed_, owner_ + "/" + spec.name));
  parameter.master = start_values(spec, random, type_).to(device_);
  parameter.master.set_requires_grad(trained && !frozen_);
  parameters_.push_back(std::move(parameter));
  return static_cast<int64_t>(parameters_.size()) - 1;
}

void ParameterSet::add(Parameter parameter) {
  std::vector<std::string> names = parameter.tied;
  names.push_back(parameter.name);
  for (const std::string& name : names) {
    check_name("parameter", name.c_str(), "/");
    if (name == "__metadata__" || find(name) != nullptr)
      throw PluginError("parameter \"" + name + "\": the name is taken; give it another");
  }
  if (device_ != parameter.master.device()) parameter.master = parameter.master.to(device_);
  parameter.master.set_requires_grad(parameter.trained && !frozen_);
  parameters_.push_back(std::move(parameter));
}

const at::Tensor& ParameterSet::resolve(int64_t slot) {
  if (slot < 0 || slot >= static_cast<int64_t>(parameters_.size())) {
    throw PluginError("parameter slot " + std::to_string(slot) + " does not exist; " + owner_ +
                      " has " + std::to_string(parameters_.size()));
  }
  Parameter& parameter = parameters_[static_cast<size_t>(slot)];
  if (!bf16_ || !parameter.trained || parameter.role == RETORT_ROLE_NORM) return parameter.master;
  if (!parameter.working.defined()) {
    // The copy serves the whole pass: its first use may be where the plugin records no gradients.
    const c10::AutoGradMode recording(true);
    parameter.working = parameter.master.to(at::kBFloat16);
  }
  return parameter.working;
}

void ParameterSet::begin_pass(bool bf16) {
  bf16_ = bf16;
  if (frozen_) return;  // the copies of a frozen network stay right
  for (Parameter& parameter : parameters_) parameter.working.reset();
}

void ParameterSet::set_learning(const std::function<bool(const Parameter&)>& learns) {
  frozen_ = true;
  for (Parameter& parameter : parameters_) {
    parameter.working.reset();
    const bool learns_now = parameter.trained && learns(parameter);
    parameter.master.set_requires_grad(learns_now);
    if (learns_now) frozen_ = false;
  }
}

void ParameterSet::freeze() {
  set_learning([](const Parameter&) { return false; });
}

void ParameterSet::learn_only(const std::vector<std::string>& names) {
  set_learning([&](const Parameter& parameter) {
    return std::find(names.begin(), names.end(), parameter.name) != names.end();
  });
}

void ParameterSet::learn_all() {
  set_learning([](const Parameter&) { return true; });
  frozen_ = false;
}

Parameter* ParameterSet::find(const std::string& name) {
  const auto found =
      std::find_if(parameters_.begin(), parameters_.end(), [&](const Parameter& parameter) {
        return parameter.name == name || std::find(parameter.tied.begin(), parameter.tied.end(),
                                                   name) != parameter.tied.end();
      });
  return found == parameters_.end() ? nullptr : &*found;
}

const Parameter* ParameterSet::find_owner(const at::Tensor& tensor) const {
  const auto found =
      std::find_if(parameters_.begin(), parameters_.end(), [&](const Parameter& parameter) {
        return share_memory(parameter.master, tensor) ||
               (parameter.working.defined() && share_memory(parameter.working, tensor));
      });
  return found == parameters_.end() ? nullptr : &*found;
}

int64_t ParameterSet::parameter_count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_) {
    if (parameter.counted) count += parameter.master.numel();
  }
  return count;
}

}  // namespace retort::host
