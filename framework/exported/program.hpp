#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/bridge/parameter_set.hpp"
#include "framework/exported/archive.hpp"
#include "framework/exported/draws.hpp"
#include "framework/exported/run.hpp"
#include "framework/exported/schema.hpp"
#include "framework/exported/side.hpp"

namespace retort::host::exported {

enum class Mode { Evaluate, Train };

/// What a pass gives: the graph's outputs, and the taps that were asked for, in their order.
struct PassResult {
  std::vector<c10::IValue> outputs;
  std::vector<at::Tensor> taps;
};

/// What a pass is told beside its inputs.
struct PassSettings {
  Mode mode = Mode::Evaluate;
  bool bf16 = false;  // autocast to bfloat16 around the pass
  std::vector<std::string> taps = {};
  const NamedDraws* draws = nullptr;  // null: a pass that draws is refused
  int64_t* multiply_adds = nullptr;
};

/// A network of a file of torch.export: the graphs of training and of evaluation over one set of
/// weights, which lie in the owner's ParameterSet.
/// Source:  PyTorch, torch.export; docs/bring_your_network.md.
class Program {
 public:
  /// Reads the file and adds its parameters and buffers, in the graph's order, to the set, which must
  /// outlive it.
  /// Throws: DataError in one sentence for a file that is damaged, foreign or newer, for an operator
  ///         that is not run, and for a tensor that does not lie in its storage.
  Program(const std::filesystem::path& file, ParameterSet& parameters);

  /// Runs a pass. The inputs are those of inputs(), in that order. Gradients are recorded as the
  /// calling thread's mode says; training changes the buffers.
  /// Throws: what LibTorch refuses, naming the node; DataError for a tap that there is not, and for
  ///         training a file of evaluation alone.
  PassResult run(const std::vector<at::Tensor>& inputs, const PassSettings& settings);

  /// The inputs by name, with type and sizes.
  const std::vector<std::pair<std::string, TensorForm>>& inputs() const { return inputs_; }
  /// The outputs' forms; that of what is no tensor is empty.
  const std::vector<TensorForm>& outputs() const { return outputs_; }
  /// The names of the taps that evaluation has, in the order in which it makes them: modules' paths,
  /// "path#1" for a second result, and ".preact" behind a path where a ReLU made its result.
  const std::vector<std::string>& taps() const { return evaluate_.tap_names; }
  /// Adds the tap "pooled": what the last linear layer before this output reads, where one makes it.
  void choose_logits(size_t output);

  /// Why the network cannot train; "" where it can.
  const std::string& train_refusal() const { return train_refusal_; }
  /// What is not exact where evaluation is made of a graph of training; "" where all is.
  const std::string& warning() const { return warning_; }
  const std::string& torch_version() const { return torch_version_; }
  /// The operators by name, each once, sorted.
  std::vector<std::string> list_operators() const;
  /// The class of each parameter's module by the parameter's name: "torch.nn.modules.conv.Conv2d".
  const std::map<std::string, std::string>& module_classes() const { return classes_; }

 private:
  void add_weights(const Archive& archive, const ProgramText& text);
  void make_sides(const Archive& archive, const ProgramText& main);
  void check_tensors(const Side& side) const;
  void describe_ends(const ProgramText& text);
  std::vector<c10::IValue> gather_inputs(const Side& side,
                                         const std::vector<at::Tensor>& inputs) const;
  std::vector<c10::IValue> run_side(const Side& side, const std::vector<at::Tensor>& inputs,
                                    const PassSettings& settings, KeptValues& kept) const;
  void find_overwritten(Side& side, const std::vector<at::Tensor>& inputs,
                        const PassSettings& settings) const;

  std::filesystem::path file_;
  ParameterSet& parameters_;
  std::map<std::string, size_t> weights_;        // by name: positions in the ParameterSet
  std::map<std::string, at::Tensor> constants_;  // by name, on the device
  std::optional<Side> train_;                    // without: as evaluation
  Side evaluate_;
  std::vector<std::pair<std::string, TensorForm>> inputs_;
  std::vector<TensorForm> outputs_;
  std::map<std::string, std::string> classes_;
  std::string train_refusal_, warning_, torch_version_;
};

}  // namespace retort::host::exported
