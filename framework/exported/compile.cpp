#include "framework/exported/compile.hpp"

#include <ATen/core/List.h>

#include <algorithm>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/exported/operands.hpp"
#include "framework/exported/override.hpp"
#include "framework/exported/permitted.hpp"
#include "framework/exported/scalar_operators.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host::exported {

int Code::find_slot(const std::string& name) const {
  const auto found = slots.find(name);
  return found == slots.end() ? -1 : found->second;
}

namespace {

constexpr std::string_view kGradients = "torch.ops.higher_order.wrap_with_set_grad_enabled";
constexpr std::string_view kPrecision = "torch.ops.higher_order.wrap_with_autocast";

/// Makes the code of one graph, node by node.
class Compiler {
 public:
  Compiler(const Graph& graph, const CompileOptions& options, std::string where)
      : graph_(graph), options_(options), where_(std::move(where)) {}

  Code make() {
    for (const auto& input : graph_.inputs) code_.inputs.push_back(define(input));
    for (const std::string& buffer : options_.buffers)
      buffer_slots_.insert(code_.find_slot(buffer));
    for (const Node& node : graph_.nodes) {
      try {
        add(node);
      } catch (const Error& failure) {
        throw DataError(where_ + ": node " + safe_line(node.name) + ": " + failure.what());
      }
    }
    for (const Argument& output : graph_.outputs)
      code_.outputs.push_back(make_operand(output, nullptr, context()));
    plan_freeing();
    return std::move(code_);
  }

 private:
  OperandContext context() {
    OperandContext context;
    context.device = options_.device;
    context.find_slot = [this](const std::string& name) {
      const int slot = code_.find_slot(name);
      if (slot >= 0) return slot;
      throw DataError("the value " + safe_line(name) + " is used before it is made");
    };
    // A region's values have names of their own.
    context.compile_region = [this](const Graph& region) {
      CompileOptions options = options_;
      options.buffers.clear();
      return std::make_shared<const Code>(Compiler(region, options, where_).make());
    };
    return context;
  }

  int define(const std::optional<std::string>& name) {
    if (!name) return -1;
    const int slot = static_cast<int>(code_.slot_count);
    if (!code_.slots.emplace(*name, slot).second)
      throw DataError("the value " + safe_line(*name) + " is made twice");
    ++code_.slot_count;
    return slot;
  }

  void add(const Node& node) {
    Instruction instruction;
    instruction.name = node.name;
    instruction.target = node.target;
    instruction.returns_list = node.returns_list;
    if (node.target == kGradients || node.target == kPrecision) {
      instruction.action = node.target == kGradients ? Action::Gradients : Action::Precision;
      add_plain_operands(node, instruction);
      check_region(instruction);
    } else if (node.target.starts_with("torch.ops.")) {
      instruction.op = &find_permitted(node.target);
      add_operands(node, instruction);
      choose_action(instruction);
    } else {
      instruction.action = Action::Number;
      if (!is_scalar_operator(node.target)) {
        throw DataError("the function " + safe_line(node.target) +
                        " is not run; export the network with sizes that it need not compute");
      }
      add_plain_operands(node, instruction);
    }
    for (const auto& output : node.outputs) instruction.results.push_back(define(output));
    code_.instructions.push_back(std::move(instruction));
  }

  void add_plain_operands(const Node& node, Instruction& instruction) {
    for (const auto& [name, argument] : node.inputs)
      instruction.operands.push_back(make_operand(argument, nullptr, context()));
  }

  /// By the schema's names; what the node leaves out is the schema's default.
  void add_operands(const Node& node, Instruction& instruction) {
    const auto& wanted = instruction.op->arguments;
    std::vector<const Argument*> given(wanted.size(), nullptr);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto& [name, argument] = node.inputs[i];
      const auto at = name.empty()
                          ? wanted.begin() + static_cast<ptrdiff_t>(std::min(i, wanted.size()))
                          : std::find_if(wanted.begin(), wanted.end(),
                                         [&](const auto& its) { return its.name == name; });
      if (at == wanted.end())
        throw DataError(instruction.op->name + " takes no argument \"" + safe_line(name) + "\"");
      given[static_cast<size_t>(at - wanted.begin())] = &argument;
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (given[i] == nullptr && wanted[i].default_value == nullptr)
        throw DataError(instruction.op->name + " lacks its argument \"" + wanted[i].name + "\"");
      Operand operand;
      if (given[i] == nullptr) {
        operand.constant = *wanted[i].default_value;
      } else {
        operand = make_operand(*given[i], &wanted[i], context());
      }
      instruction.operands.push_back(std::move(operand));
    }
  }

  void choose_action(Instruction& instruction) {
    const Operator& op = *instruction.op;
    place_on_device(op, instruction);
    if (op.name == "aten::_assert_tensor_metadata") {
      instruction.action = Action::Pass;  // what it asserts is the exporting device's
      return;
    }
    if (options_.evaluation == Evaluation::Override)
      override_for_evaluation(instruction, buffer_slots_);
    if (instruction.action != Action::Call) return;
    check_writes(instruction);
    if (op.unfit) instruction.action = Action::Zero;
    if (!draws(instruction)) return;
    const std::string refused = describe_refused_draw(instruction);
    if (!refused.empty()) throw DataError(refused);
    instruction.action = Action::Draw;
  }

  /// Factories make their tensors where the program runs, and cuDNN is the run's choice.
  void place_on_device(const Operator& op, Instruction& instruction) const {
    if (op.device_at >= 0)
      instruction.operands[static_cast<size_t>(op.device_at)].constant = options_.device;
    if (!options_.device.is_cuda()) return;
    for (size_t i = 0; i < op.arguments.size(); ++i)
      if (op.arguments[i].name == "cudnn_enabled") instruction.operands[i].constant = true;
  }

  /// That what is no buffer of the state_dict stays as it is: else a resumed run would not.
  void check_writes(const Instruction& instruction) const {
    std::vector<size_t> written = instruction.op->written;
    written.insert(written.end(), instruction.op->statistics.begin(),
                   instruction.op->statistics.end());
    for (const size_t at : written) {
      const Operand& operand = instruction.operands[at];
      if (operand.kind != Operand::Kind::Slot) continue;
      for (const std::string& name : options_.unchanging) {
        if (code_.find_slot(name) != operand.slot) continue;
        throw DataError(
            instruction.target + " changes " + safe_line(name) +
            ", which is no buffer of the state_dict, so that a saved run would lose it; "
            "register it as a persistent buffer");
      }
    }
  }

  static void check_region(const Instruction& instruction) {
    const auto is_region = [](const Operand& operand) {
      return operand.kind == Operand::Kind::Region;
    };
    const auto& operands = instruction.operands;
    const bool has_one = std::count_if(operands.begin(), operands.end(), is_region) == 1;
    const size_t flag = instruction.action == Action::Gradients ? 0 : 2;
    if (!has_one || operands.size() <= flag || !operands[flag].constant.isBool())
      throw DataError(instruction.target + " has arguments that are not known");
    if (instruction.action == Action::Precision && operands[flag].constant.toBool())
      throw DataError("autocast is on in a region; leave it to the run: run.precision = \"bf16\"");
  }

  /// Notes behind each instruction the slots that nothing reads any more.
  void plan_freeing() {
    std::vector<int> last(code_.slot_count, -1);
    const auto visit = [](const Operand& operand, const auto& note) {
      if (operand.kind == Operand::Kind::Slot) note(operand.slot);
      for (const auto& [slot, number] : operand.items)
        if (slot >= 0) note(slot);
    };
    for (size_t i = 0; i < code_.instructions.size(); ++i) {
      const auto note = [&](int slot) { last[static_cast<size_t>(slot)] = static_cast<int>(i); };
      for (const Operand& operand : code_.instructions[i].operands) visit(operand, note);
      for (const int slot : code_.instructions[i].results)
        if (slot >= 0) note(slot);
    }
    for (const Operand& output : code_.outputs)
      visit(output, [&](int slot) { last[static_cast<size_t>(slot)] = -1; });
    for (size_t slot = 0; slot < last.size(); ++slot) {
      if (last[slot] < 0) continue;
      code_.instructions[static_cast<size_t>(last[slot])].last_uses.push_back(
          static_cast<int>(slot));
    }
  }

  const Graph& graph_;
  const CompileOptions& options_;
  std::string where_;
  Code code_;
  std::set<int> buffer_slots_;
};

}  // namespace

Code compile(const Graph& graph, const CompileOptions& options, const std::string& where) {
  return Compiler(graph, options, where).make();
}

}  // namespace retort::host::exported
