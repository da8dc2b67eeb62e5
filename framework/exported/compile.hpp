#pragma once

#include <c10/core/Device.h>

#include <set>
#include <string>

#include "framework/exported/code.hpp"

namespace retort::host::exported {

/// Whether a graph runs as it was exported, or a graph of training is made one of evaluation: dropout
/// and drop path off, running statistics read and not written.
enum class Evaluation { AsExported, Override };

struct CompileOptions {
  c10::Device device = c10::kCPU;
  Evaluation evaluation = Evaluation::AsExported;
  std::set<std::string> buffers = {};     // the graph's inputs that are buffers
  std::set<std::string> unchanging = {};  // those that nothing may write to
};

/// Finds a graph's operators and makes its arguments what their schemas ask for.
/// Throws: DataError that names the node: an operator that this LibTorch does not have, with the
///         versions that may; one that is not run for what it could do to memory, files or shapes;
///         one that draws and has no named draw; a value that is used before it is made.
Code compile(const Graph& graph, const CompileOptions& options, const std::string& where);

}  // namespace retort::host::exported
