#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/bridge/operators.hpp"
#include "framework/exported/schema.hpp"

namespace retort::host::exported {

struct Code;

/// Where an instruction finds an argument: the values of a run lie in slots.
struct Operand {
  enum class Kind { Constant, Slot, Tensors, OptionalTensors, Ints, Region };
  Kind kind = Kind::Constant;
  c10::IValue constant;
  int slot = -1;
  std::vector<std::pair<int, int64_t>> items;  // of a list: a slot, or -1 and an int (or no tensor)
  std::shared_ptr<const Code> region;
  // A number here stands for a tensor: one of no dimension that does not decide the result's dtype.
  bool is_tensor = false;
};

/// What is done for a node.
enum class Action {
  Call,    // an operator of LibTorch
  Number,  // arithmetic on whole numbers, of Python's operator module
  Pass,  // hands its first argument on: an assertion about the exporting device, a count left alone
  Zero,  // an operator that gives whatever lies in memory: the memory is cleared
  Fill,  // bernoulli_(p) in evaluation: fills with p
  Draw,  // an operator that draws: its numbers are the host's, by the node's name
  Gradients,  // a region in which gradients are recorded, or are not
  Precision,  // a region in which autocast is off
};

struct Instruction {
  std::string name;  // the node's, unique in a program
  std::string target;
  Action action = Action::Call;
  const Operator* op = nullptr;
  std::vector<Operand> operands;
  std::vector<int> results;  // -1: nobody reads it
  bool returns_list = false;
  std::vector<int> last_uses;  // slots that are freed behind it
};

/// A graph made ready to run on a device.
struct Code {
  std::vector<int> inputs;  // -1: a number that nobody reads
  std::vector<Instruction> instructions;
  std::vector<Operand> outputs;
  std::map<std::string, int> slots;  // by the graph's names
  size_t slot_count = 0;

  /// -1 where there is none.
  int find_slot(const std::string& name) const;
};

}  // namespace retort::host::exported
