#pragma once

#include <string>
#include <vector>

#include "framework/exported/code.hpp"
#include "framework/exported/schema.hpp"

namespace retort::host::exported {

/// What a module returned, in a graph.
struct TapSlot {
  std::string name;  // the module's path; "path#1" for its second result
  int slot = -1;
};

/// The modules' results by their paths, in the order in which they are made: from the signatures that
/// the file has, else from the module that each node is part of.
std::vector<TapSlot> find_taps(const ProgramText& program, const Code& code);

/// The module's class by its path, "torch.nn.modules.conv.Conv2d", of modules that hold a node.
std::map<std::string, std::string> find_module_classes(const ProgramText& program);

/// The slot that the last linear layer before an output reads, which is what is pooled for a
/// classifier; -1 where the output comes from something else.
int find_classifier_input(const Code& code, int output_slot);

/// The slot that a ReLU reads whose result is in this slot; -1 where none makes it.
int find_before_relu(const Code& code, int slot);

}  // namespace retort::host::exported
