#pragma once

#include <string>
#include <vector>

#include "retort/tensor.hpp"

RETORT_BEGIN_NAMESPACE

/// How a parameter starts. Its numbers come from (seed, network, parameter name), so neither the
/// order of declarations nor another network changes them.
struct Init {
  retort_init_kind kind = RETORT_INIT_CONSTANT;
  double a = 0;
  double b = 0;
  std::vector<double> values = {};
};
enum class Fan { In, Out };

namespace init {
inline Init constant(double value) { return {RETORT_INIT_CONSTANT, value, 0}; }
inline Init zeros() { return constant(0); }
inline Init ones() { return constant(1); }
inline Init uniform(double low, double high) { return {RETORT_INIT_UNIFORM, low, high}; }
inline Init normal(double stddev, double mean = 0) { return {RETORT_INIT_NORMAL, mean, stddev}; }
/// He et al. 2015, arXiv:1502.01852, eq. 10; `slope` is the leaky ReLU's.
inline Init kaiming_uniform(double slope = 0, Fan fan = Fan::In) {
  return {RETORT_INIT_KAIMING_UNIFORM, slope, fan == Fan::Out ? 1.0 : 0.0};
}
inline Init kaiming_normal(double slope = 0, Fan fan = Fan::In) {
  return {RETORT_INIT_KAIMING_NORMAL, slope, fan == Fan::Out ? 1.0 : 0.0};
}
/// Glorot and Bengio 2010, eq. 16.
inline Init xavier_uniform(double gain = 1) { return {RETORT_INIT_XAVIER_UNIFORM, gain, 0}; }
inline Init xavier_normal(double gain = 1) { return {RETORT_INIT_XAVIER_NORMAL, gain, 0}; }
/// Row-major numbers, as many as the parameter has elements.
inline Init values(std::vector<double> numbers) {
  return {RETORT_INIT_VALUES, 0, 0, std::move(numbers)};
}
}  // namespace init

/// What a parameter is, for options such as "no weight decay on biases".
enum class Role : int32_t {
  Weight = RETORT_ROLE_WEIGHT,
  Bias = RETORT_ROLE_BIAS,
  Norm = RETORT_ROLE_NORM
};

/// Declares the parameters and buffers of a model or of a strategy's own modules; they belong to
/// the host, which saves, moves, decays and updates them. Names are dotted as in PyTorch's
/// state_dict: in("layer1") then in("0") then parameter("conv1.weight") declares
/// "layer1.0.conv1.weight".
/// Throws:  Error outside Model::build and Strategy::setup, and for a name declared twice;
///          ShapeError where the start values are not as many as the parameter's elements.
class Builder {
 public:
  Builder() = default;
  explicit Builder(std::string prefix) : prefix_(std::move(prefix)) {}

  /// A builder for a submodule.
  Builder in(const std::string& name) const { return Builder(full_name(name)); }

  /// A float32 parameter, trained by the optimizer. `lr_scale` multiplies its learning rate.
  Tensor parameter(const std::string& name, const Shape& shape, const Init& start,
                   Role role = Role::Weight, double lr_scale = 1) const {
    return declare(detail::host().declare_parameter, name, shape, start, role, lr_scale);
  }
  /// Float32 state that the optimizer leaves alone; saved and restored with the rest.
  Tensor buffer(const std::string& name, const Shape& shape, const Init& start) const {
    return declare(detail::host().declare_buffer, name, shape, start, Role::Weight, 1);
  }

 private:
  using Declare = int32_t (*)(const retort_parameter_spec*, int64_t* slot, retort_error*);

  std::string full_name(const std::string& name) const {
    return message(prefix_, prefix_.empty() ? "" : ".", name);
  }

  RETORT_COLD Tensor declare(Declare function, const std::string& name, const Shape& shape,
                             const Init& start, Role role, double lr_scale) const {
    const std::string full = full_name(name);
    if (start.kind == RETORT_INIT_VALUES &&
        static_cast<int64_t>(start.values.size()) != shape.numel()) {
      throw ShapeError(message(full, " ", shape.text(), " is given ", start.values.size(),
                               " start values; it has ", shape.numel(), " elements"));
    }
    retort_parameter_spec spec{};
    spec.struct_size = sizeof(spec);
    spec.role = static_cast<int32_t>(role);
    spec.name = full.c_str();
    spec.rank = static_cast<uint32_t>(shape.rank());
    spec.init = start.kind;
    spec.sizes = shape.data();
    spec.init_a = start.a;
    spec.init_b = start.b;
    spec.values = start.values.data();
    spec.lr_scale = lr_scale;
    int64_t slot = 0;
    detail::Failure failure;
    detail::check(function(&spec, &slot, &failure));
    return Tensor::parameter(slot);
  }

  std::string prefix_;
};

RETORT_END_NAMESPACE
