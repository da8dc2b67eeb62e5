#include "framework/exported/permitted.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "framework/base/error.hpp"

namespace retort::host::exported {
namespace {

constexpr std::string_view kPrefix = "torch.ops.";

// Operators whose names begin with an underscore are LibTorch's own parts, many without checks of
// what they are given. These are what torch.export writes.
constexpr std::array<std::string_view, 10> kPrivate = {"_assert_tensor_metadata",
                                                       "_upsample_bicubic2d_aa",
                                                       "_upsample_bilinear2d_aa",
                                                       "_weight_norm",
                                                       "_safe_softmax",
                                                       "_unsafe_view",
                                                       "_softmax",
                                                       "_log_softmax",
                                                       "_to_copy",
                                                       "_upsample_nearest_exact2d"};

// What changes the memory that a tensor stands for, or reads what no argument gives.
constexpr std::array<std::string_view, 9> kRefusedParts = {"resize",   "storage",    "from_file",
                                                           "set_data", "pin_memory", "sparse",
                                                           "nested",   "quantize",   "_foreach"};

constexpr std::array<std::string_view, 10> kDrawn = {"aten::dropout",
                                                     "aten::dropout_",
                                                     "aten::feature_dropout",
                                                     "aten::feature_dropout_",
                                                     "aten::bernoulli_",
                                                     "aten::bernoulli",
                                                     "aten::rand",
                                                     "aten::rand_like",
                                                     "aten::scaled_dot_product_attention",
                                                     "aten::lstm"};

[[noreturn]] void refuse(const std::string& target, const std::string& what) {
  throw DataError("the operator " + target + " " + what);
}

bool is_private(const std::string& name) {
  return name.starts_with("_") && !name.starts_with("__") &&
         std::find(kPrivate.begin(), kPrivate.end(), name) == kPrivate.end();
}

bool reaches_memory(const std::string& name, const std::string& overload) {
  const bool refused =
      std::any_of(kRefusedParts.begin(), kRefusedParts.end(),
                  [&](std::string_view part) { return name.find(part) != std::string::npos; });
  return refused || name == "set_" || overload == "out" || overload.ends_with("_out") ||
         overload.ends_with("Storage");
}

/// The name without its overload: "aten::bernoulli_".
std::string_view base_name(const Operator& op) {
  const std::string_view name = op.name;
  return name.substr(0, name.find('.'));
}

}  // namespace

const Operator& find_permitted(const std::string& target) {
  const std::string rest =
      target.starts_with(kPrefix) ? target.substr(kPrefix.size()) : std::string();
  const size_t first = rest.find('.'), last = rest.rfind('.');
  if (first == std::string::npos || first == last)
    refuse(target, "is none of LibTorch's; only torch.ops.aten is run");
  const std::string space = rest.substr(0, first), name = rest.substr(first + 1, last - first - 1);
  std::string overload = rest.substr(last + 1);
  if (overload == "default") overload.clear();
  if (space == "higher_order")
    refuse(target, "is a region of a kind that is not run; those of no_grad and autocast are");
  if (space != "aten") {
    refuse(target,
           "exists in Python alone; only torch.ops.aten is run: export the network with "
           "the implementation in plain PyTorch");
  }
  if (is_private(name) || reaches_memory(name, overload))
    refuse(target, "is not run: it could reach memory beside its arguments");
  try {
    return find_operator("aten::" + name, overload);
  } catch (const PluginError&) {
    refuse(
        target,
        "is not in this LibTorch; build with torch 2.11 to 2.14, and export with the same version");
  }
}

bool draws(const Instruction& instruction) {
  const Operator& op = *instruction.op;
  if (!op.random) return false;
  const auto constant = [&](int at) -> const c10::IValue* {
    if (at < 0) return nullptr;
    const Operand& operand = instruction.operands[static_cast<size_t>(at)];
    return operand.kind == Operand::Kind::Constant ? &operand.constant : nullptr;
  };
  const c10::IValue* probability = constant(op.dropout_at);
  if (probability != nullptr && probability->isDouble() && probability->toDouble() == 0)
    return false;
  const c10::IValue* train = constant(op.train_at);
  return train == nullptr || !train->isBool() || train->toBool();
}

std::string describe_refused_draw(const Instruction& instruction) {
  if (!draws(instruction)) return "";
  const std::string_view name = base_name(*instruction.op);
  const bool is_out_of_place_p = instruction.op->name == "aten::bernoulli.p" ||
                                 instruction.op->name == "aten::bernoulli_.float" ||
                                 !name.starts_with("aten::bernoulli");
  if (std::find(kDrawn.begin(), kDrawn.end(), name) != kDrawn.end() && is_out_of_place_p) return "";
  return "the operator " + instruction.target +
         " draws random numbers that could not be repeated; dropout, bernoulli_(p), rand, "
         "attention "
         "and LSTM with dropout are drawn by the host: write the network with these, or export it "
         "with model.eval()";
}

}  // namespace retort::host::exported
