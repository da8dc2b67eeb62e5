#include "framework/exported/run.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/List.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/base/failure.hpp"
#include "framework/exported/operands.hpp"
#include "framework/exported/random_operators.hpp"
#include "framework/exported/scalar_operators.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host::exported {
namespace {

using Values = std::vector<c10::IValue>;

/// Switches autocast off for a region.
class WithoutAutocast {
 public:
  explicit WithoutAutocast(at::DeviceType device)
      : device_(device), was_(at::autocast::is_autocast_enabled(device)) {
    at::autocast::set_autocast_enabled(device_, false);
  }
  ~WithoutAutocast() { at::autocast::set_autocast_enabled(device_, was_); }
  WithoutAutocast(const WithoutAutocast&) = delete;
  WithoutAutocast& operator=(const WithoutAutocast&) = delete;

 private:
  at::DeviceType device_;
  bool was_;
};

const c10::IValue& at_slot(const Values& values, int slot) {
  return values[static_cast<size_t>(slot)];
}

c10::IValue make_tensors(const Operand& operand, const Values& values) {
  if (operand.kind == Operand::Kind::Tensors) {
    c10::List<at::Tensor> list;
    list.reserve(operand.items.size());
    for (const auto& [slot, number] : operand.items)
      list.push_back(at_slot(values, slot).toTensor());
    return list;
  }
  c10::List<std::optional<at::Tensor>> list;
  list.reserve(operand.items.size());
  for (const auto& [slot, number] : operand.items) {
    const bool none = slot < 0 || at_slot(values, slot).isNone();
    list.push_back(none ? std::optional<at::Tensor>() : at_slot(values, slot).toTensor());
  }
  return list;
}

c10::IValue find_value(const Operand& operand, const Values& values) {
  switch (operand.kind) {
    case Operand::Kind::Constant:
      return operand.constant;
    case Operand::Kind::Slot:
      return operand.is_tensor ? wrap_number(at_slot(values, operand.slot))
                               : at_slot(values, operand.slot);
    case Operand::Kind::Tensors:
    case Operand::Kind::OptionalTensors:
      return make_tensors(operand, values);
    case Operand::Kind::Ints: {
      c10::List<int64_t> list;
      list.reserve(operand.items.size());
      for (const auto& [slot, number] : operand.items)
        list.push_back(slot < 0 ? number : at_slot(values, slot).toInt());
      return list;
    }
    case Operand::Kind::Region:
      break;
  }
  throw DataError("a region is given where a value is wanted");
}

/// Runs one code on one set of values.
class Run {
 public:
  Run(const Code& code, const RunSettings& settings, const std::string& where)
      : code_(code), settings_(settings), where_(where), values_(code.slot_count) {}

  Values make(Values inputs) {
    if (inputs.size() != code_.inputs.size())
      throw DataError(where_ + ": takes " + std::to_string(code_.inputs.size()) + " inputs");
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (code_.inputs[i] < 0) continue;
      values_[static_cast<size_t>(code_.inputs[i])] = std::move(inputs[i]);
      keep(code_.inputs[i]);
    }
    inputs.clear();
    for (const Instruction& instruction : code_.instructions) {
      run_named(instruction);
      for (const int slot : instruction.results) keep(slot);
      for (const int slot : instruction.last_uses) values_[static_cast<size_t>(slot)] = {};
    }
    Values outputs;
    for (const Operand& output : code_.outputs) outputs.push_back(find_value(output, values_));
    return outputs;
  }

 private:
  void keep(int slot) {
    if (settings_.kept == nullptr || slot < 0) return;
    for (KeptValues::Entry& entry : settings_.kept->entries) {
      if (entry.slot != slot || !at_slot(values_, slot).isTensor()) continue;
      const at::Tensor& value = at_slot(values_, slot).toTensor();
      entry.value = entry.copied ? value.clone() : value;
      entry.version = value._version();
    }
  }

  /// Names the node where it fails.
  void run_named(const Instruction& instruction) {
    const auto name = [&] {
      return where_ + ": node " + safe_line(instruction.name) + " (" +
             safe_line(instruction.target) + "): ";
    };
    try {
      run_one(instruction);
    } catch (const Error& failure) {
      throw Error(name() + failure.what(), failure.code());
    } catch (const std::exception& failure) {
      if (const auto memory = out_of_memory_text(failure)) throw EnvironmentError(name() + *memory);
      throw ShapeError(name() + safe_line(said_by(failure)));
    }
  }

  void run_one(const Instruction& instruction) {
    stack_.clear();
    switch (instruction.action) {
      case Action::Pass:
        stack_.push_back(find_value(instruction.operands.at(0), values_));
        break;
      case Action::Fill:
        stack_.emplace_back(at::Tensor(find_value(instruction.operands.at(0), values_).toTensor())
                                .fill_(find_value(instruction.operands.at(1), values_).toDouble()));
        break;
      case Action::Number: {
        Values numbers;
        for (const Operand& operand : instruction.operands)
          numbers.push_back(find_value(operand, values_));
        stack_.push_back(run_scalar_operator(instruction.target, numbers));
        break;
      }
      case Action::Gradients:
      case Action::Precision:
        run_region(instruction);
        break;
      case Action::Call:
      case Action::Zero:
      case Action::Draw:
        run_operator(instruction);
        break;
    }
    take_results(instruction);
  }

  void run_operator(const Instruction& instruction) {
    const Operator& op = *instruction.op;
    for (const Operand& operand : instruction.operands)
      stack_.push_back(find_value(operand, values_));
    if (instruction.action == Action::Draw) {
      if (settings_.draws == nullptr) throw DataError("draws, where nothing may");
      return run_drawn(instruction, *settings_.draws, stack_);
    }
    if (op.check != nullptr) op.check(stack_);
    if (settings_.multiply_adds == nullptr || op.multiply_adds == nullptr) {
      op.handle.callBoxed(stack_);
    } else {
      const c10::Stack arguments = stack_;
      op.handle.callBoxed(stack_);
      *settings_.multiply_adds += op.multiply_adds(arguments, stack_.at(0).toTensor().numel());
    }
    if (instruction.action == Action::Zero) at::Tensor(stack_.at(0).toTensor()).zero_();
  }

  void run_region(const Instruction& instruction) {
    const Code* region = nullptr;
    Values arguments;
    for (const Operand& operand : instruction.operands) {
      if (operand.kind == Operand::Kind::Region) {
        region = operand.region.get();
      } else if (region != nullptr) {
        arguments.push_back(find_value(operand, values_));
      }
    }
    RunSettings settings = settings_;
    settings.kept = nullptr;  // its values have slots of their own
    const auto run_inside = [&] {
      Values results = Run(*region, settings, where_).make(std::move(arguments));
      stack_.assign(results.begin(), results.end());
    };
    if (instruction.action == Action::Gradients) {
      // Within a pass that records none, none are.
      const bool wanted = instruction.operands[0].constant.toBool();
      const c10::AutoGradMode mode(wanted && c10::GradMode::is_enabled());
      run_inside();
    } else {
      const c10::IValue& device = instruction.operands[0].constant;
      const bool on_gpu = device.isString() && device.toStringRef() == "cuda";
      const WithoutAutocast guard(on_gpu ? at::kCUDA : at::kCPU);
      run_inside();
    }
  }

  void take_results(const Instruction& instruction) {
    if (instruction.returns_list) {
      const std::vector<at::Tensor> list = stack_.at(0).toTensorVector();
      stack_.assign(list.begin(), list.end());
    }
    for (size_t i = 0; i < instruction.results.size(); ++i) {
      if (instruction.results[i] < 0) continue;
      if (i >= stack_.size())
        throw DataError("gives " + std::to_string(stack_.size()) + " results and not " +
                        std::to_string(instruction.results.size()));
      values_[static_cast<size_t>(instruction.results[i])] = std::move(stack_[i]);
    }
  }

  const Code& code_;
  const RunSettings& settings_;
  const std::string& where_;
  Values values_;
  c10::Stack stack_;
};

}  // namespace

std::vector<c10::IValue> run(const Code& code, std::vector<c10::IValue> inputs,
                             const RunSettings& settings, const std::string& where) {
  return Run(code, settings, where).make(std::move(inputs));
}

}  // namespace retort::host::exported
