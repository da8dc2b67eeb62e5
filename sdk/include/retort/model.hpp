#pragma once

#include <string>

#include "retort/builder.hpp"
#include "retort/nn.hpp"
#include "retort/ops.hpp"
#include "retort/plugin.hpp"

RETORT_BEGIN_NAMESPACE

/// Where a model declares its parameters, and what it is built for.
struct ModelBuild : Builder {
  int64_t class_count = 0;
  int64_t channels = 0;  ///< of an input image
  int64_t height = 0;
  int64_t width = 0;
};

/// Where a forward pass leaves its named intermediates. Every model publishes: stem; layer1, layer2
/// ..: each stage after its last ReLU; layer1.preact ..: before it; pooled [N, C]: what the
/// classifier takes. The host adds logits itself, and the groups `stages` (layer1, layer2 ..),
/// `stages.preact` and `last_map` (the last stage).
class Taps {
 public:
  /// Publishes a tensor under a name and gives it back: x = taps("layer1", block(x));
  const Tensor& operator()(const std::string& name, const Tensor& tensor) const {
    detail::Failure failure;
    detail::check(detail::host().publish(name.c_str(), &tensor.value(), &failure));
    return tensor;
  }
  /// Whether somebody asked for a tap. Where nobody did, a model may take a faster way that never
  /// makes the tensor; the logits must be the same bits.
  bool wants(const std::string& name) const { return detail::host().wants_tap(name.c_str()) != 0; }

  /// The end of a stage, published as `name` and, before its last ReLU, as `name`.preact. The block
  /// gives block.preactivation(x) and block(x) = relu(block.preactivation(x)), which may be faster.
  template <class Block>
  Tensor last_block(const std::string& name, const Block& block, const Tensor& x) const {
    const std::string before = name + ".preact";
    return (*this)(name, wants(before) ? relu((*this)(before, block.preactivation(x))) : block(x));
  }
};

/// A network architecture. A class derives from it, has a member `options` of a struct `Options`
/// (may be empty), and is declared with RETORT_MODEL. One object serves one network (a teacher, a
/// student).
class Model {
 public:
  virtual ~Model() = default;

  /// Called once per network. Declares parameters and buffers under the names that torchvision or
  /// timm uses.
  /// Throws:  ConfigError where options and input do not go together.
  virtual void build(const ModelBuild& build) = 0;

  /// Inputs:  x [N, channels, height, width] float32, normalised.
  /// Output:  logits [N, class_count].
  virtual Tensor forward(const Tensor& x, const Taps& taps) = 0;
};

namespace detail {

/// The C functions of one model class.
template <class M>
struct ModelFunctions {
  static int32_t build(void* self, const retort_model_build* from, retort_error* error) {
    return guarded(error, [&] {
      ModelBuild build;
      build.class_count = from->class_count;
      build.channels = from->channels;
      build.height = from->height;
      build.width = from->width;
      static_cast<M*>(self)->build(build);
    });
  }
  static int32_t forward(void* self, const retort_value* input, retort_value* logits,
                         retort_error* error) {
    return guarded(error, [&] {
      *logits = static_cast<M*>(self)->forward(Tensor::borrow(*input), Taps()).release();
    });
  }
  static constexpr retort_model_interface interface = {sizeof(retort_model_interface), 0, build,
                                                       forward};
  static const void* find(const char* id) {
    return std::string_view(id) == RETORT_MODEL_INTERFACE ? &interface : nullptr;
  }
};

}  // namespace detail

/// Declares a model for RETORT_PLUGIN.
template <class M, class... Traits>
constexpr auto model(std::string_view id, std::string_view version, std::string_view summary,
                     Traits... traits) {
  return detail::component<M>(RETORT_KIND_MODEL, detail::ModelFunctions<M>::find, id, version,
                              summary, traits...);
}

RETORT_END_NAMESPACE

/// A plugin of one model.
#define RETORT_MODEL(class_, ...) RETORT_PLUGIN(::retort::model<class_>(__VA_ARGS__))
