#include "framework/exported/random_operators.hpp"

#include <ATen/core/List.h>
#include <ATen/ops/_safe_softmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/lstm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/base/error.hpp"

namespace retort::host::exported {
namespace {

/// The argument of that name.
const c10::IValue& argument(const Instruction& instruction, const c10::Stack& stack,
                            std::string_view name) {
  const auto& known = instruction.op->arguments;
  for (size_t i = 0; i < known.size(); ++i)
    if (known[i].name == name) return stack[i];
  throw std::logic_error("no argument " + std::string(name));
}

enum class InPlace { No, Yes };

/// x times a mask that keeps a number with the probability 1 - p, scaled so that its mean stays.
at::Tensor drop(const at::Tensor& x, double p, at::IntArrayRef mask_sizes, const std::string& node,
                const NamedDraws& draws, InPlace in_place = InPlace::No) {
  if (p == 0 || x.numel() == 0) return x;
  const at::Tensor factor =
      p == 1 ? at::zeros({}, x.options())
             : draws.make_bernoulli(node, mask_sizes, 1 - p, x.options()).div_(1 - p);
  return in_place == InPlace::Yes ? at::Tensor(x).mul_(factor) : x.mul(factor);
}

/// Whole feature maps: a mask of [N, C, 1, ..].
std::vector<int64_t> feature_sizes(const at::Tensor& x) {
  std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
  if (x.dim() < 2) throw ShapeError("feature dropout needs a tensor of at least 2 dimensions");
  sizes[0] = x.size(0);
  sizes[1] = x.size(1);
  return sizes;
}

at::Tensor run_dropout(const Instruction& instruction, const NamedDraws& draws,
                       const c10::Stack& stack) {
  const at::Tensor x = stack[0].toTensor();
  const double p = stack[1].toDouble();
  const bool of_features = instruction.op->name.starts_with("aten::feature_");
  const std::vector<int64_t> sizes = of_features ? feature_sizes(x) : x.sizes().vec();
  return drop(x, p, sizes, instruction.name, draws,
              instruction.op->mutates ? InPlace::Yes : InPlace::No);
}

/// The additive mask of an attention, or nothing.
std::optional<at::Tensor> make_mask(const Instruction& instruction, const c10::Stack& stack,
                                    const at::Tensor& query, const at::Tensor& key) {
  const c10::IValue& given = argument(instruction, stack, "attn_mask");
  std::optional<at::Tensor> mask;
  if (given.isTensor()) mask = given.toTensor();
  if (argument(instruction, stack, "is_causal").toBool()) {
    mask = at::ones({query.size(-2), key.size(-2)}, query.options().dtype(at::kBool)).tril();
  }
  if (!mask || mask->scalar_type() != at::kBool) return mask;
  const at::Tensor none = at::scalar_tensor(0.0, query.options());
  const at::Tensor shut =
      at::scalar_tensor(-std::numeric_limits<double>::infinity(), query.options());
  return at::where(*mask, none, shut);
}

at::Tensor run_attention(const Instruction& instruction, const NamedDraws& draws,
                         const c10::Stack& stack) {
  const at::Tensor& query = stack[0].toTensor();
  at::Tensor key = stack[1].toTensor(), value = stack[2].toTensor();
  if (argument(instruction, stack, "enable_gqa").toBool() && key.size(-3) != query.size(-3)) {
    key = key.repeat_interleave(query.size(-3) / key.size(-3), -3);
    value = value.repeat_interleave(query.size(-3) / value.size(-3), -3);
  }
  const c10::IValue& given = argument(instruction, stack, "scale");
  const double scale =
      given.isDouble() ? given.toDouble() : 1 / std::sqrt(static_cast<double>(query.size(-1)));
  // As in PyTorch, both sides are scaled by the root, which keeps the product in range.
  const double root = std::sqrt(std::abs(scale));
  at::Tensor scores =
      at::matmul(query.mul(scale < 0 ? -root : root), key.mul(root).transpose(-2, -1));
  if (const auto mask = make_mask(instruction, stack, query, key)) scores = scores.add(*mask);
  scores = at::_safe_softmax(scores, -1);
  const double p = argument(instruction, stack, "dropout_p").toDouble();
  return at::matmul(drop(scores, p, scores.sizes(), instruction.name, draws), value);
}

/// Layer by layer, with a dropout between two.
std::vector<at::Tensor> run_lstm(const Instruction& instruction, const NamedDraws& draws,
                                 const c10::Stack& stack) {
  if (instruction.op->name != "aten::lstm.input")
    throw DataError("an LSTM over packed sequences is not run with dropout; pad them");
  const auto state = argument(instruction, stack, "hx").toTensorVector();
  const auto weights = argument(instruction, stack, "params").toTensorVector();
  const bool has_biases = argument(instruction, stack, "has_biases").toBool();
  const int64_t layers = argument(instruction, stack, "num_layers").toInt();
  const double p = argument(instruction, stack, "dropout").toDouble();
  const bool bidirectional = argument(instruction, stack, "bidirectional").toBool();
  const bool batch_first = argument(instruction, stack, "batch_first").toBool();
  const int64_t directions = bidirectional ? 2 : 1;
  if (layers < 1 || state.size() != 2 || weights.empty() ||
      static_cast<int64_t>(weights.size()) % layers != 0)
    throw ShapeError("an LSTM of " + std::to_string(layers) + " layers with " +
                     std::to_string(weights.size()) + " weights");
  const size_t per_layer = weights.size() / static_cast<size_t>(layers);
  at::Tensor x = stack[0].toTensor();
  std::vector<at::Tensor> hidden, cells;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const auto first = weights.begin() + static_cast<ptrdiff_t>(per_layer) * layer;
    const std::vector<at::Tensor> own(first, first + static_cast<ptrdiff_t>(per_layer));
    const std::vector<at::Tensor> start = {state[0].narrow(0, layer * directions, directions),
                                           state[1].narrow(0, layer * directions, directions)};
    const auto [output, h, c] =
        at::lstm(x, start, own, has_biases, 1, 0.0, true, bidirectional, batch_first);
    hidden.push_back(h);
    cells.push_back(c);
    const bool is_last = layer + 1 == layers;
    x = is_last ? output
                : drop(output, p, output.sizes(), instruction.name + "." + std::to_string(layer),
                       draws);
  }
  return {x, at::cat(hidden, 0), at::cat(cells, 0)};
}

at::Tensor run_bernoulli(const Instruction& instruction, const NamedDraws& draws,
                         const c10::Stack& stack) {
  const at::Tensor x = stack[0].toTensor();
  const at::Tensor drawn =
      draws.make_bernoulli(instruction.name, x.sizes(), stack[1].toDouble(), x.options());
  return instruction.op->mutates ? at::Tensor(x).copy_(drawn) : drawn;
}

at::Tensor run_rand(const Instruction& instruction, const NamedDraws& draws,
                    const c10::Stack& stack) {
  const bool is_like = stack[0].isTensor();
  at::TensorOptions options = at::TensorOptions().dtype(at::kFloat);
  if (is_like) options = stack[0].toTensor().options().requires_grad(false);
  const c10::IValue& dtype = argument(instruction, stack, "dtype");
  if (dtype.isInt()) options = options.dtype(static_cast<at::ScalarType>(dtype.toInt()));
  const c10::IValue& device = argument(instruction, stack, "device");
  if (device.isDevice()) options = options.device(device.toDevice());
  const std::vector<int64_t> sizes =
      is_like ? stack[0].toTensor().sizes().vec() : stack[0].toIntVector();
  return draws.make_uniform(instruction.name, sizes, options);
}

}  // namespace

void run_drawn(const Instruction& instruction, const NamedDraws& draws, c10::Stack& stack) {
  const std::string_view name = instruction.op->name;
  std::vector<at::Tensor> results;
  if (name.find("dropout") != std::string_view::npos) {
    results = {run_dropout(instruction, draws, stack)};
  } else if (name.starts_with("aten::scaled_dot_product_attention")) {
    results = {run_attention(instruction, draws, stack)};
  } else if (name.starts_with("aten::lstm")) {
    results = run_lstm(instruction, draws, stack);
  } else if (name.starts_with("aten::bernoulli")) {
    results = {run_bernoulli(instruction, draws, stack)};
  } else {
    results = {run_rand(instruction, draws, stack)};
  }
  stack.clear();
  for (at::Tensor& result : results) stack.emplace_back(std::move(result));
}

}  // namespace retort::host::exported
