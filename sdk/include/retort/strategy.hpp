#pragma once

#include <string>
#include <vector>

#include "retort/builder.hpp"
#include "retort/inputs.hpp"
#include "retort/logits.hpp"
#include "retort/maps.hpp"
#include "retort/nn.hpp"
#include "retort/ops.hpp"
#include "retort/plugin.hpp"

RETORT_BEGIN_NAMESPACE

/// The shapes of one network's outputs, as a strategy sees them at set-up.
struct NetworkShapes {
  Shape logits;            ///< [batch_size, C]
  PerTap<Shape> features;  ///< of the bound taps
};

/// What a strategy is told before training, and where it declares its own modules (it is a
/// Builder).
struct Setup : Builder {
  int64_t class_count = 0;
  /// Samples in the training set. Those that data.validation holds out count too: a step's indices
  /// are below it, but not each number below it comes.
  int64_t train_count = 0;
  int64_t batch_size = 0;
  int64_t epoch_count = 0;
  int64_t step_count = 0;  ///< over all epochs
  /// Of the whole training set, train_count of them, held-out samples included: labels[i] is the
  /// class of the sample that a step's indices call i. With needs(Labels); valid as long as the
  /// strategy lives.
  TrainLabels labels;
  NetworkShapes student;
  NetworkShapes teacher;

  /// Tells the user of something that is allowed but surprising, before training.
  void warn(const std::string& text) const {
    detail::Failure failure;
    detail::check(detail::host().warn(text.c_str(), &failure));
  }
};

/// One network's outputs for the batch, float32.
struct NetworkOutputs {
  Tensor logits;            ///< [N, C], with needs(Logits)
  PerTap<Tensor> features;  ///< of the bound taps, with binds() or needs(Features)
};

/// One training step, as a strategy sees it. What it does not declare is undefined, and throws Error
/// with the declaration that is missing where it is read. Without needs() and binds() the logits
/// count as declared.
struct Step {
  NetworkOutputs student;  ///< with gradient
  NetworkOutputs teacher;  ///< without
  Tensor labels;           ///< [N] int64, with needs(Labels)
  Tensor indices;          ///< [N] int64, positions in the training set, with needs(Indices)
  Tensor progress;         ///< [] float32, 0 at the first step, 1 at the end
  int64_t epoch = 0;       ///< 0-based
  int64_t step = 0;        ///< 0-based, over all epochs

  /// Random numbers, of each name once a step: a function of (seed, transfer, name, step). Float32.
  Tensor uniform(const char* name, const Shape& shape, double low = 0, double high = 1) const {
    return draw(RETORT_DRAW_UNIFORM, name, shape, low, high);
  }
  Tensor normal(const char* name, const Shape& shape, double mean = 0, double stddev = 1) const {
    return draw(RETORT_DRAW_NORMAL, name, shape, mean, stddev);
  }
  /// int64 in [low, high).
  Tensor integers(const char* name, const Shape& shape, int64_t low, int64_t high) const {
    return draw(RETORT_DRAW_INTEGERS, name, shape, static_cast<double>(low),
                static_cast<double>(high));
  }
  /// Records a [] tensor or a number in the run's metrics, averaged over the epoch. Does not wait
  /// for the device.
  void log(const char* name, const Value& value) const {
    detail::require_given(value.value());
    detail::Failure failure;
    detail::check(detail::host().log(name, &value.value(), &failure));
  }

 private:
  static Tensor draw(retort_draw_kind kind, const char* name, const Shape& shape, double a,
                     double b) {
    retort_draw_spec spec{};
    spec.struct_size = sizeof(spec);
    spec.kind = kind;
    spec.name = name;
    spec.rank = static_cast<uint32_t>(shape.rank());
    spec.sizes = shape.data();
    spec.a = a;
    spec.b = b;
    retort_tensor handle = nullptr;
    detail::Failure failure;
    detail::check(detail::host().draw(&spec, &handle, &failure));
    return Tensor::adopt(handle);
  }
};

/// A way to transfer knowledge from a teacher to a student. A class derives from it, has a member
/// `options` of a struct `Options` (may be empty), and is declared with RETORT_STRATEGY.
class Strategy {
 public:
  virtual ~Strategy() = default;

  /// Called once, before training. Declares the strategy's own modules; sees shapes and counts.
  /// Throws:  ShapeError or ConfigError, which the user sees before training starts.
  virtual void setup(Setup& setup) { (void)setup; }

  /// The loss of one batch; the weight is the experiment's business.
  /// Inputs:  see Step; they must not be written to.
  /// Output:  one float32 element, with a gradient path to the student or to own parameters: a host
  ///          refuses one without before training.
  /// Throws:  ShapeError or Error; the user sees it with the plugin, the function and the step.
  virtual Tensor loss(const Step& step) = 0;

  /// Updates state such as memory banks, after the backward pass of a step that counts.
  virtual void after_backward(const Step& step) { (void)step; }
};

namespace detail {

RETORT_COLD inline NetworkShapes shapes_of(const retort_network_shapes& from) {
  NetworkShapes shapes;
  shapes.logits = Shape(from.logits.sizes, from.logits.rank);
  shapes.features = PerTap<Shape>(static_cast<size_t>(from.feature_count));
  const char* at = reinterpret_cast<const char*>(from.features);
  for (Shape& feature : shapes.features) {
    const auto& shape = *reinterpret_cast<const retort_shape*>(at);
    feature = Shape(shape.sizes, shape.rank);
    at += from.feature_stride;
  }
  return shapes;
}

inline Tensor borrow_input(const retort_value& from, const char* missing) {
  return from.tag == RETORT_TAG_NONE ? Tensor::not_given(missing) : Tensor::borrow(from);
}

__attribute__((noinline)) inline NetworkOutputs outputs_of(const retort_network_step& from,
                                                           const char* missing) {
  NetworkOutputs outputs;
  outputs.logits = borrow_input(from.logits, missing);
  outputs.features = PerTap<Tensor>(static_cast<size_t>(from.feature_count));
  const retort_value* at = from.features;
  for (Tensor& feature : outputs.features) feature = Tensor::borrow(*at++);
  return outputs;
}

inline Step step_of(const retort_step& from) {
  Step step;
  step.student = outputs_of(*from.student,
                            "step.student.logits is read, and the strategy does not declare it; "
                            "add needs(Logits)");
  step.teacher = outputs_of(*from.teacher,
                            "step.teacher.logits is read, and is not there: add needs(Logits) to "
                            "the strategy, or [teacher] to the experiment");
  step.labels = borrow_input(from.labels,
                             "step.labels is read, and the strategy does not declare it; add "
                             "needs(Labels)");
  step.indices = borrow_input(from.indices,
                              "step.indices is read, and the strategy does not declare it; add "
                              "needs(Indices)");
  step.progress = Tensor::borrow(from.progress);
  step.epoch = from.epoch;
  step.step = from.step;
  return step;
}

/// The C functions of one strategy class.
template <class S>
struct StrategyFunctions {
  static int32_t setup(void* self, const retort_setup* from, retort_error* error) {
    return guarded(error, [&] {
      Setup setup;
      setup.class_count = from->class_count;
      setup.train_count = from->train_count;
      setup.batch_size = from->batch_size;
      setup.epoch_count = from->epoch_count;
      setup.step_count = from->step_count;
      setup.labels = TrainLabels(from->labels, from->train_count);
      setup.student = shapes_of(*from->student);
      setup.teacher = shapes_of(*from->teacher);
      static_cast<S*>(self)->setup(setup);
    });
  }
  static int32_t loss(void* self, const retort_step* from, retort_value* loss,
                      retort_error* error) {
    return guarded(error, [&] { *loss = static_cast<S*>(self)->loss(step_of(*from)).release(); });
  }
  static int32_t after_backward(void* self, const retort_step* from, retort_error* error) {
    return guarded(error, [&] { static_cast<S*>(self)->after_backward(step_of(*from)); });
  }
  static constexpr retort_strategy_interface interface = {sizeof(retort_strategy_interface), 0,
                                                          setup, loss, after_backward};
  static const void* find(const char* id) {
    return std::string_view(id) == RETORT_STRATEGY_INTERFACE ? &interface : nullptr;
  }
};

}  // namespace detail

/// Declares a strategy for RETORT_PLUGIN: its class, id, version, one line about it, and any of
/// needs(), binds(), batch(), uses(), syncs(), teacher_free(), paper(), verified(), licence() and
/// option().
template <class S, class... Traits>
constexpr auto strategy(std::string_view id, std::string_view version, std::string_view summary,
                        Traits... traits) {
  return detail::component<S>(RETORT_KIND_STRATEGY, detail::StrategyFunctions<S>::find, id, version,
                              summary, traits...);
}

RETORT_END_NAMESPACE

/// A plugin of one strategy.
#define RETORT_STRATEGY(class_, ...) RETORT_PLUGIN(::retort::strategy<class_>(__VA_ARGS__))
