#include "framework/exported/override.hpp"

#include <string_view>

namespace retort::host::exported {
namespace {

/// Whether batch norm reads running statistics; without, it always takes the batch's own.
bool has_statistics(const Instruction& instruction) {
  for (const size_t at : instruction.op->statistics) {
    const Operand& operand = instruction.operands[at];
    if (operand.kind == Operand::Kind::Constant && operand.constant.isNone()) return false;
  }
  return !instruction.op->statistics.empty();
}

}  // namespace

void override_for_evaluation(Instruction& instruction, const std::set<int>& buffer_slots) {
  const Operator& op = *instruction.op;
  const auto operand = [&](int at) -> Operand& {
    return instruction.operands[static_cast<size_t>(at)];
  };
  if (op.training_at >= 0 && has_statistics(instruction)) operand(op.training_at).constant = false;
  if (op.train_at >= 0) operand(op.train_at).constant = false;
  if (op.dropout_at >= 0 && op.train_at < 0) operand(op.dropout_at).constant = 0.0;
  const bool writes_buffer = op.mutates && !instruction.operands.empty() &&
                             instruction.operands[0].kind == Operand::Kind::Slot &&
                             buffer_slots.count(instruction.operands[0].slot) != 0;
  if (writes_buffer && op.name.starts_with("aten::add_")) instruction.action = Action::Pass;
  if (op.name == "aten::bernoulli_.float") instruction.action = Action::Fill;
}

}  // namespace retort::host::exported
