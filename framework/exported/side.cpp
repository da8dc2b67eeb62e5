#include "framework/exported/side.hpp"

#include <utility>

namespace retort::host::exported {
namespace {

/// Adds each tap once, with what a ReLU read for it.
void add_taps(const ProgramText& text, Side& side) {
  const auto add = [&](const std::string& name, int slot) {
    if (side.taps.emplace(name, slot).second) side.tap_names.push_back(name);
  };
  for (const TapSlot& tap : find_taps(text, side.code)) {
    const int before = find_before_relu(side.code, tap.slot);
    if (before >= 0) add(tap.name + ".preact", before);
    add(tap.name, tap.slot);
  }
}

/// The flag that says whether an operator trains; null where it has none, or one that says nothing:
/// batch norm without running statistics always takes the batch's.
const c10::IValue* find_flag(const Instruction& instruction) {
  const Operator& op = *instruction.op;
  const auto operand = [&](size_t at) -> const Operand& { return instruction.operands[at]; };
  for (const size_t at : op.statistics)
    if (operand(at).kind == Operand::Kind::Constant) return nullptr;
  const int at = op.training_at >= 0 ? op.training_at : op.train_at;
  if (at < 0) return nullptr;
  const Operand& flag = operand(static_cast<size_t>(at));
  return flag.kind == Operand::Kind::Constant && flag.constant.isBool() ? &flag.constant : nullptr;
}

void note_modes(const Code& code, const std::set<int>& buffers, GraphModes& modes) {
  for (const Instruction& instruction : code.instructions) {
    for (const Operand& operand : instruction.operands)
      if (operand.kind == Operand::Kind::Region) note_modes(*operand.region, {}, modes);
    if (instruction.op == nullptr) continue;
    if (const c10::IValue* flag = find_flag(instruction))
      (flag->toBool() ? modes.trains : modes.evaluates) = true;
    const bool draws = instruction.action == Action::Draw;
    const bool counts = !instruction.op->written.empty() && !instruction.operands.empty() &&
                        buffers.count(instruction.operands[0].slot) != 0;
    if (draws || counts) modes.trains = true;
    if (draws && instruction.op->name.starts_with("aten::rand")) modes.draws_rand = true;
  }
}

}  // namespace

Side make_side(const ProgramText& text, Evaluation evaluation, c10::Device device,
               const std::string& where) {
  CompileOptions options;
  options.device = device;
  options.evaluation = evaluation;
  for (const InputSpec& input : text.inputs) {
    const bool is_kept = input.kind == InputKind::Buffer && input.persistent;
    if (input.kind == InputKind::Buffer) options.buffers.insert(input.value);
    if (!is_kept && (input.kind == InputKind::Buffer || input.kind == InputKind::Constant))
      options.unchanging.insert(input.value);
  }
  Side side;
  side.code = compile(text.graph, options, where);
  side.inputs = text.inputs;
  add_taps(text, side);
  return side;
}

GraphModes find_modes(const Side& side) {
  std::set<int> buffers;
  for (size_t i = 0; i < side.inputs.size(); ++i)
    if (side.inputs[i].kind == InputKind::Buffer) buffers.insert(side.code.inputs[i]);
  GraphModes modes;
  note_modes(side.code, buffers, modes);
  return modes;
}

}  // namespace retort::host::exported
