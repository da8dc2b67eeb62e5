#include "framework/exported/draws.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include "framework/base/error.hpp"
#include "framework/base/random.hpp"
#include "framework/base/text.hpp"

namespace retort::host::exported {
namespace {

constexpr int64_t kNumbersPerTask = 32768;

/// The tensor given for a draw, or the undefined one.
at::Tensor find_given(const HandedDraws* handed, const std::string& node, at::IntArrayRef sizes) {
  if (handed == nullptr) return {};
  const auto found = handed->given.find(node);
  if (found == handed->given.end()) return {};
  if (found->second.sizes() != sizes) {
    throw ShapeError("the draw of " + node + " is given as " +
                     shape_text(found->second.sizes().vec()) + "; the node draws " +
                     shape_text(sizes.vec()));
  }
  return found->second.clone();
}

}  // namespace

/// Numbers are made on the processor, in parts that any thread may make.
template <class Fill>
at::Tensor NamedDraws::make(const std::string& node, at::IntArrayRef sizes,
                            const at::TensorOptions& options, Fill fill) const {
  at::Tensor tensor = find_given(handed_, node, sizes);
  if (!tensor.defined()) {
    tensor = at::empty(sizes, at::TensorOptions().dtype(at::kFloat));
    const Philox random(combine_key(seed_, owner_ + "/" + node, static_cast<uint64_t>(step_)));
    float* const out = tensor.mutable_data_ptr<float>();
    at::parallel_for(0, tensor.numel(), kNumbersPerTask, [&](int64_t first, int64_t end) {
      fill(random, out + first, first, end - first);
    });
  }
  if (handed_ != nullptr) handed_->seen[node] = tensor.clone();
  return tensor.to(options);
}

at::Tensor NamedDraws::make_bernoulli(const std::string& node, at::IntArrayRef sizes, double p,
                                      const at::TensorOptions& options) const {
  return make(node, sizes, options,
              [p](const Philox& random, float* out, int64_t first, int64_t count) {
                random.bernoulli(out, first, count, p);
              });
}

at::Tensor NamedDraws::make_uniform(const std::string& node, at::IntArrayRef sizes,
                                    const at::TensorOptions& options) const {
  return make(node, sizes, options,
              [](const Philox& random, float* out, int64_t first, int64_t count) {
                random.unit_floats(out, first, count);
              });
}

}  // namespace retort::host::exported
