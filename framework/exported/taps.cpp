#include "framework/exported/taps.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "framework/base/text.hpp"

namespace retort::host::exported {
namespace {

/// One module of a node's stack.
struct StackEntry {
  std::string key;   // of one call: "L__self__layer1.0@1"
  std::string path;  // "layer1.0"
  std::string class_name;
};

std::vector<StackEntry> read_stack(const std::string& text) {
  std::vector<StackEntry> entries;
  for (const std::string& part : split(text, ';')) {
    const size_t first = part.find(','), last = part.rfind(',');
    if (first == std::string::npos || first == last || part.starts_with("_empty")) continue;
    entries.push_back(
        {part.substr(0, first), part.substr(first + 1, last - first - 1), part.substr(last + 1)});
  }
  return entries;
}

/// The instruction that makes each slot; -1 for an input.
std::vector<int> find_makers(const Code& code) {
  std::vector<int> makers(code.slot_count, -1);
  for (size_t i = 0; i < code.instructions.size(); ++i)
    for (const int slot : code.instructions[i].results)
      if (slot >= 0) makers[static_cast<size_t>(slot)] = static_cast<int>(i);
  return makers;
}

std::vector<TapSlot> read_signatures(const ProgramText& program, const Code& code) {
  std::vector<TapSlot> taps;
  for (const ModuleCall& call : program.modules) {
    for (size_t i = 0; i < call.outputs.size(); ++i) {
      const int slot = code.find_slot(call.outputs[i]);
      if (slot >= 0) taps.push_back({call.path + (i == 0 ? "" : "#" + std::to_string(i)), slot});
    }
  }
  return taps;
}

/// Who reads each slot: positions of instructions; the number of instructions for an output.
std::vector<std::vector<size_t>> find_readers(const Code& code) {
  std::vector<std::vector<size_t>> readers(code.slot_count);
  const auto note = [&](const Operand& operand, size_t reader) {
    if (operand.kind == Operand::Kind::Slot)
      readers[static_cast<size_t>(operand.slot)].push_back(reader);
    for (const auto& [slot, number] : operand.items)
      if (slot >= 0) readers[static_cast<size_t>(slot)].push_back(reader);
  };
  for (size_t i = 0; i < code.instructions.size(); ++i)
    for (const Operand& operand : code.instructions[i].operands) note(operand, i);
  for (const Operand& output : code.outputs) note(output, code.instructions.size());
  return readers;
}

/// The last value made within a module's first call that is read outside of it.
std::vector<TapSlot> guess_from_stacks(const ProgramText& program, const Code& code) {
  struct Call {
    std::string path;
    std::set<size_t> nodes;
  };
  std::map<std::string, Call> calls;
  const std::vector<Node>& nodes = program.graph.nodes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const StackEntry& entry : read_stack(nodes[i].module_stack)) {
      if (entry.path.empty() || entry.key.find('@') != std::string::npos) continue;
      Call& call = calls[entry.key];
      call.path = entry.path;
      call.nodes.insert(i);
    }
  }
  const auto readers = find_readers(code);
  std::vector<TapSlot> taps;
  for (const auto& [key, call] : calls) {
    int last = -1;
    for (const size_t node : call.nodes) {
      if (code.instructions[node].target.find("sym_") != std::string::npos) continue;
      for (const int slot : code.instructions[node].results) {
        if (slot < 0) continue;
        const auto& its = readers[static_cast<size_t>(slot)];
        const bool leaves = std::any_of(
            its.begin(), its.end(), [&](size_t reader) { return call.nodes.count(reader) == 0; });
        if (leaves) last = slot;
      }
    }
    if (last >= 0) taps.push_back({call.path, last});
  }
  return taps;
}

bool is_call_of(const Instruction& instruction, std::string_view name) {
  return instruction.op != nullptr && (instruction.op->name == name ||
                                       instruction.op->name.starts_with(std::string(name) + "."));
}

/// Whether an instruction gives the numbers of its first argument, as a dropout may.
bool passes_on(const Instruction& instruction) {
  constexpr std::array<std::string_view, 7> kNames = {
      "aten::dropout", "aten::view",  "aten::reshape",   "aten::flatten",
      "aten::squeeze", "aten::alias", "aten::contiguous"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view name) { return is_call_of(instruction, name); });
}

}  // namespace

std::vector<TapSlot> find_taps(const ProgramText& program, const Code& code) {
  std::vector<TapSlot> taps =
      program.modules.empty() ? guess_from_stacks(program, code) : read_signatures(program, code);
  const std::vector<int> makers = find_makers(code);
  std::stable_sort(taps.begin(), taps.end(), [&](const TapSlot& a, const TapSlot& b) {
    const int first = makers[static_cast<size_t>(a.slot)],
              second = makers[static_cast<size_t>(b.slot)];
    return first != second ? first < second : a.name.size() > b.name.size();
  });
  return taps;
}

std::map<std::string, std::string> find_module_classes(const ProgramText& program) {
  std::map<std::string, std::string> classes;
  for (const Node& node : program.graph.nodes)
    for (const StackEntry& entry : read_stack(node.module_stack))
      classes.emplace(entry.path, entry.class_name);
  return classes;
}

int find_classifier_input(const Code& code, int output_slot) {
  const std::vector<int> makers = find_makers(code);
  int slot = output_slot;
  // Behind the layer may stand what changes no number: a dropout of probability 0, a view.
  for (int steps = 0; slot >= 0 && steps < 4; ++steps) {
    const int maker = makers[static_cast<size_t>(slot)];
    if (maker < 0) return -1;
    const Instruction& instruction = code.instructions[static_cast<size_t>(maker)];
    if (instruction.operands.empty()) return -1;
    const bool is_layer = is_call_of(instruction, "aten::linear");
    if (!is_layer && !passes_on(instruction)) return -1;
    const Operand& input = instruction.operands[0];
    slot = input.kind == Operand::Kind::Slot ? input.slot : -1;
    if (is_layer) return slot;
  }
  return -1;
}

int find_before_relu(const Code& code, int slot) {
  const int maker = find_makers(code)[static_cast<size_t>(slot)];
  if (maker < 0) return -1;
  const Instruction& instruction = code.instructions[static_cast<size_t>(maker)];
  const bool is_relu =
      is_call_of(instruction, "aten::relu") || is_call_of(instruction, "aten::relu_");
  if (!is_relu || instruction.operands[0].kind != Operand::Kind::Slot) return -1;
  return instruction.operands[0].slot;
}

}  // namespace retort::host::exported
