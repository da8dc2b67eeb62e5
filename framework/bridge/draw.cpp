#include "framework/bridge/draw.hpp"

#include <ATen/ops/empty.h>

#include <string>

#include "framework/bridge/random.hpp"
#include "framework/error.hpp"
#include "framework/text.hpp"

namespace retort::host {
namespace {

at::Tensor drawn(const Scope& running, const retort_draw_spec& spec) {
  const Philox random(combine_key(running.seed, running.instance + "/" + spec.name,
                                  static_cast<uint64_t>(running.step)));
  const bool integers = spec.kind == RETORT_DRAW_INTEGERS;
  if (integers && !(spec.a < spec.b)) {
    const auto low = static_cast<int64_t>(spec.a), high = static_cast<int64_t>(spec.b);
    throw PluginError("draw \"" + std::string(spec.name) + "\": there is no integer in [" +
                      std::to_string(low) + ", " + std::to_string(high) + ")");
  }
  at::Tensor tensor = at::empty(at::IntArrayRef(spec.sizes, spec.rank),
                                at::TensorOptions().dtype(integers ? at::kLong : at::kFloat));
  if (integers) {
    random.integers(tensor.data_ptr<int64_t>(), tensor.numel(), static_cast<int64_t>(spec.a),
                    static_cast<int64_t>(spec.b));
  } else if (spec.kind == RETORT_DRAW_UNIFORM) {
    random.uniform(tensor.data_ptr<float>(), tensor.numel(), spec.a, spec.b);
  } else if (spec.kind == RETORT_DRAW_NORMAL) {
    random.normal(tensor.data_ptr<float>(), tensor.numel(), spec.a, spec.b);
  } else {
    throw PluginError("there is no kind of draw number " + std::to_string(spec.kind));
  }
  tensor = tensor.to(running.device);
  return integers ? tensor : tensor.to(running.float_type);
}

/// The tensor given for a draw, or null. Throws: ShapeError when it has another shape.
const at::Tensor* given_draw(const Scope& running, const retort_draw_spec& spec) {
  if (running.draws == nullptr) return nullptr;
  const auto found = running.draws->given.find(spec.name);
  if (found == running.draws->given.end()) return nullptr;
  const at::IntArrayRef wanted(spec.sizes, spec.rank);
  if (found->second.sizes() != wanted) {
    throw ShapeError("the draw \"" + std::string(spec.name) + "\" is given as " +
                     shape_text(found->second.sizes().vec()) + "; the strategy draws " +
                     shape_text(wanted.vec()));
  }
  return &found->second;
}

}  // namespace

at::Tensor draw_tensor(const Scope& scope, const retort_draw_spec& spec) {
  const at::Tensor* given = given_draw(scope, spec);
  at::Tensor tensor = given != nullptr ? *given : drawn(scope, spec);
  if (scope.draws != nullptr) scope.draws->seen[spec.name] = tensor;
  return tensor;
}

}  // namespace retort::host
