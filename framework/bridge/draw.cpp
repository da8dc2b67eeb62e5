#include "framework/bridge/draw.hpp"

#include <ATen/ops/empty.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <string>

#include "framework/base/random.hpp"
#include "framework/base/text.hpp"
#include "framework/bridge/checks.hpp"

namespace retort::host {
namespace {

constexpr double kExactIntegers = 9007199254740992;  // 2^53: a double holds every integer up to it

[[noreturn]] void refuse_draw(const retort_draw_spec& spec, const std::string& what) {
  throw PluginError("draw \"" + std::string(spec.name) + "\": " + what);
}

void check_integers(const retort_draw_spec& spec) {
  for (const double bound : {spec.a, spec.b}) {
    if (std::trunc(bound) != bound || std::abs(bound) > kExactIntegers) {
      refuse_draw(spec, fmt::format("its bound {} is no whole number of at most 2^53", bound));
    }
  }
  if (!(spec.a < spec.b)) {
    refuse_draw(spec, fmt::format("there is no integer in [{}, {}); the upper bound must be larger",
                                  static_cast<int64_t>(spec.a), static_cast<int64_t>(spec.b)));
  }
}

/// The numbers of a distribution as float32 holds them, so that no draw can be NaN or infinite.
void check_distribution(const retort_draw_spec& spec) {
  if (spec.kind < RETORT_DRAW_UNIFORM || spec.kind > RETORT_DRAW_INTEGERS) {
    refuse_draw(
        spec, fmt::format("there is no kind of draw number {}; this host knows 0 to 2", spec.kind));
  }
  for (const double number : {spec.a, spec.b}) {
    if (!(std::abs(number) <= FLT_MAX)) {
      refuse_draw(spec, fmt::format("it is drawn with {}; that must be a finite float32", number));
    }
  }
  if (spec.kind == RETORT_DRAW_INTEGERS) check_integers(spec);
  if (spec.kind == RETORT_DRAW_UNIFORM && spec.a > spec.b) {
    refuse_draw(spec, fmt::format("there is no number in [{}, {}); the lower bound comes first",
                                  spec.a, spec.b));
  }
  if (spec.kind == RETORT_DRAW_NORMAL && spec.b < 0) {
    refuse_draw(spec, fmt::format("its standard deviation is {}; it must be at least 0", spec.b));
  }
}

void check_phase(const Scope& running) {
  if (running.function == PluginFunction::Loss || running.function == PluginFunction::AfterBackward)
    return;
  throw ScopeError(std::string("a draw is made in ") + function_name(running.function) +
                   "(); a strategy draws in loss() and after_backward(), and what a parameter or " +
                   "buffer starts with is drawn by its initialiser");
}

/// Notes the name. Two draws of one would be the same numbers.
void note_draw(Scope& running, const retort_draw_spec& spec) {
  const auto same = [&](const std::string& name) { return name == spec.name; };
  if (std::any_of(running.drawn.begin(), running.drawn.end(), same)) {
    refuse_draw(spec,
                "it is drawn twice in one step, and both would be the same numbers; give the "
                "second a name of its own, or keep the first's tensor");
  }
  running.drawn.emplace_back(spec.name);
}

at::Tensor make_draw(const Scope& running, const retort_draw_spec& spec, at::IntArrayRef sizes) {
  const Philox random(combine_key(running.seed, running.instance + "/" + spec.name,
                                  static_cast<uint64_t>(running.step)));
  const bool integers = spec.kind == RETORT_DRAW_INTEGERS;
  at::Tensor tensor =
      at::empty(sizes, at::TensorOptions().dtype(integers ? at::kLong : at::kFloat));
  if (integers) {
    random.integers(tensor.data_ptr<int64_t>(), tensor.numel(), static_cast<int64_t>(spec.a),
                    static_cast<int64_t>(spec.b));
  } else if (spec.kind == RETORT_DRAW_UNIFORM) {
    random.uniform(tensor.data_ptr<float>(), tensor.numel(), spec.a, spec.b);
  } else {
    random.normal(tensor.data_ptr<float>(), tensor.numel(), spec.a, spec.b);
  }
  tensor = tensor.to(running.device);
  return integers ? tensor : tensor.to(running.float_type);
}

/// A copy of the tensor given for a draw, or the undefined one. Throws: ShapeError when it has
/// another shape.
at::Tensor given_draw(const Scope& running, const retort_draw_spec& spec, at::IntArrayRef wanted) {
  if (running.draws == nullptr) return {};
  const auto found = running.draws->given.find(spec.name);
  if (found == running.draws->given.end()) return {};
  if (found->second.sizes() != wanted) {
    throw ShapeError("the draw \"" + std::string(spec.name) + "\" is given as " +
                     shape_text(found->second.sizes().vec()) + "; the strategy draws " +
                     shape_text(wanted.vec()));
  }
  return found->second.clone();
}

}  // namespace

at::Tensor draw_tensor(Scope& scope, const retort_draw_spec& spec) {
  if (spec.struct_size < sizeof(retort_draw_spec)) {
    throw PluginError("a draw of " + std::to_string(spec.struct_size) + " bytes; this host wants " +
                      std::to_string(sizeof(retort_draw_spec)));
  }
  check_phase(scope);
  check_name("draw", spec.name);
  const at::IntArrayRef sizes =
      check_sizes("draw \"" + std::string(spec.name) + "\" has", spec.sizes, spec.rank, 0);
  check_distribution(spec);
  note_draw(scope, spec);
  at::Tensor tensor = given_draw(scope, spec, sizes);
  if (!tensor.defined()) tensor = make_draw(scope, spec, sizes);
  // What the strategy does with its own tensor later must not change what is told of it.
  if (scope.draws != nullptr) scope.draws->seen[spec.name] = tensor.clone();
  return tensor;
}

}  // namespace retort::host
