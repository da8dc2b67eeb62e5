// What can go wrong in a training step, on demand: losses, gradients, buffers and outputs that are
// not finite, losses without gradient, graphs kept from step to step.
#include <retort/model.hpp>
#include <retort/strategy.hpp>

#include <utility>

using namespace retort;

namespace {

/// Not finite in steps [at, at + count), where its own parameter is below a bound. The parameter
/// falls by the learning rate each step of plain SGD or Adam, so a bound can tell a rollback's second
/// try from the first. Has all that a step may change: a parameter, batch norm, a buffer that
/// after_backward() counts in, a metric of each function.
class Spoils final : public Strategy {
 public:
  enum class What { Loss, Gradient, NoGradient };
  struct Options {
    What what = What::Loss;
    int64_t at = -1;
    int64_t count = 1;
    double below = 1e30;
  } options;

  void setup(Setup& setup) override {
    level_ = setup.parameter("level", {1}, init::zeros());
    norm_ = nn::BatchNorm(setup.in("norm"), setup.class_count);
    calls_ = setup.buffer("calls", {1}, init::zeros());
  }

  Tensor loss(const Step& step) override {
    const Tensor level = sum(level_);  // []
    step.log("level", level);
    const Tensor loss = mean(square(norm_(step.student.logits))) * 1e-3 + level;
    if (step.step < options.at || step.step >= options.at + options.count) return loss;
    if (options.what == What::NoGradient) return detach(loss);
    const Tensor spoilt = lt(level, options.below);
    if (options.what == What::Loss) return where(spoilt, full_like(loss, __builtin_nan("")), loss);
    // The root's value at 0 is 0, its derivative is not finite.
    const Tensor zero = sum(step.student.logits) * 0.0;
    return loss + sqrt(where(spoilt, zero, ones_like(zero)));
  }

  void after_backward(const Step& step) override {
    static const Operator add("aten::add_", "Scalar");
    add(calls_, 1.0);
    step.log("calls", sum(calls_));
  }

 private:
  Tensor level_, calls_;
  nn::BatchNorm norm_;
};

/// Adds the loss of the step before with its graph, or a term of its own that was left out there and
/// whose buffer has changed since.
class KeepsGraph final : public Strategy {
 public:
  struct Options {
    bool own = false;
  } options;

  void setup(Setup& setup) override {
    scale_ = setup.parameter("scale", {1}, init::ones());
    bank_ = setup.buffer("bank", {1}, init::ones());
  }

  Tensor loss(const Step& step) override {
    Tensor loss = mean(square(step.student.logits)) + sum(scale_);
    if (kept_.defined()) loss = loss + kept_ * 0.5;
    kept_ = options.own ? sum(scale_ * bank_) : loss;
    return loss;
  }

  void after_backward(const Step&) override {
    static const Operator add("aten::add_", "Scalar");
    add(bank_, 1.0);
  }

 private:
  Tensor scale_, bank_, kept_;
};

/// The mean pixel of each channel, batch norm and a linear layer; wrong as its option says.
class Faulty final : public Model {
 public:
  enum class Wrong { Nothing, OldGraph, Buffer, NanInEvaluation };
  struct Options {
    Wrong wrong = Wrong::Nothing;
  } options;

  void build(const ModelBuild& build) override {
    norm_ = nn::BatchNorm(build.in("norm"), build.channels);
    over_ = nn::BatchNorm(build.in("over"), build.channels);
    fc_ = nn::Linear(build.in("fc"), build.channels, build.class_count);
  }

  Tensor forward(const Tensor& images, const Taps&) override {
    const bool training = detail::host().training() != 0;
    const Tensor means = mean(images, {2, 3});  // [N, C]
    const Tensor logits = fc_(norm_(means));
    switch (options.wrong) {
      case Wrong::Nothing:
        return logits;
      case Wrong::OldGraph:
        return training ? with_kept(logits) : logits;
      case Wrong::Buffer:
        if (training) over_(means * 1e30);  // its variance is beyond float32
        return logits;
      case Wrong::NanInEvaluation:
        return training ? logits : logits * __builtin_nan("");
    }
    return logits;
  }

 private:
  Tensor with_kept(const Tensor& logits) {
    const Tensor sum = kept_.defined() ? logits + kept_ : logits;
    kept_ = logits;
    return sum;
  }

  nn::BatchNorm norm_, over_;
  nn::Linear fc_;
  Tensor kept_;
};

}  // namespace

RETORT_PLUGIN(
    strategy<Spoils>(
        "test.spoils", "1.0.0", "Is not finite on demand", needs(Logits), teacher_free(),
        uses("aten::add_", "Scalar"),
        option("what", &Spoils::Options::what)
            .one_of("loss", "gradient", "no_gradient")
            .help("is not finite, or none"),
        option("at", &Spoils::Options::at).at_least(-1).help("first step of it"),
        option("count", &Spoils::Options::count).at_least(1).help("steps of it"),
        option("below", &Spoils::Options::below).help("only where the parameter is below this")),
    strategy<KeepsGraph>("test.keeps_graph", "1.0.0", "Keeps a loss with its graph", needs(Logits),
                         teacher_free(), uses("aten::add_", "Scalar"),
                         option("own", &KeepsGraph::Options::own).help("of its own tensors")),
    model<Faulty>("test.faulty", "1.0.0", "Wrong as its option says",
                  option("wrong", &Faulty::Options::wrong)
                      .one_of("nothing", "old_graph", "buffer", "nan_in_evaluation")
                      .help("what goes wrong")))
