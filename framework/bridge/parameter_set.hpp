#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "retort/abi.h"

namespace retort::host {

/// One parameter or buffer of a network or of a strategy's own modules.
struct Parameter {
  std::string name;
  retort_role role = RETORT_ROLE_WEIGHT;
  double lr_scale = 1;
  bool trained = true;  // false: a buffer, or a parameter that its network keeps as it is
  at::Tensor master;    // float32, or float64 when probed
  at::Tensor working;   // what an operator gets: the master, or its bfloat16 copy of this pass
  bool counted = true;  // among the parameters: not a buffer
  std::vector<std::string> tied = {};  // further names that files hold it under
};

/// The parameters and buffers of one owner, in the order of their declaration. A plugin knows them
/// as slots: the slot of a parameter is its position here.
class ParameterSet {
 public:
  /// Numbers are drawn, in float32, from (seed, owner, parameter name). The type is float32, or
  /// float64 for a strategy that is probed.
  ParameterSet(uint64_t seed, std::string owner, at::Device device,
               at::ScalarType type = at::kFloat)
      : seed_(seed), owner_(std::move(owner)), device_(device), type_(type) {}

  /// Returns the slot. Throws: PluginError for a name that files cannot hold or that is taken, for a
  /// rate or an initialiser that cannot be; ShapeError for a shape that cannot be.
  int64_t declare(const retort_parameter_spec& spec, bool trained);

  /// Takes a parameter with its values, which are moved to the device, of any type.
  /// Throws: PluginError for a name that files cannot hold or that is taken.
  void add(Parameter parameter);

  /// The tensor that operators of the current pass get. Throws: PluginError for a slot that does
  /// not exist.
  const at::Tensor& resolve(int64_t slot);

  /// Starts a forward pass: a bfloat16 copy of each weight is made anew when it is next asked for.
  void begin_pass(bool bf16);

  /// Which of the trained parameters get gradients from here on: none, those of these names, or all, as
  /// at first.
  void freeze();
  void learn_only(const std::vector<std::string>& names);
  void learn_all();

  const std::vector<Parameter>& all() const { return parameters_; }
  /// By its name or one that is tied to it; null where there is none.
  Parameter* find(const std::string& name);
  /// The parameter or buffer in whose memory a tensor lies, or null.
  const Parameter* find_owner(const at::Tensor& tensor) const;
  /// Elements of the parameters, without buffers.
  int64_t parameter_count() const;
  const std::string& owner() const { return owner_; }
  at::Device device() const { return device_; }

 private:
  void set_learning(const std::function<bool(const Parameter&)>& learns);

  uint64_t seed_;
  std::string owner_;
  at::Device device_;
  at::ScalarType type_;
  bool bf16_ = false;
  bool frozen_ = false;
  std::vector<Parameter> parameters_;
};

}  // namespace retort::host
