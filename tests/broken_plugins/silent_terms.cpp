// Strategies and models that compile and run, and teach nothing or read what they do not declare.
#include <retort/model.hpp>
#include <retort/strategy.hpp>

#include <cmath>

using namespace retort;

namespace {

class Silent : public Strategy {
 public:
  struct Options {
  } options;
};

Tensor squares(const Tensor& x) { return mean(square(x)); }
Tensor difference(const Step& step) { return step.student.logits - step.teacher.logits; }

class Detached final : public Silent {
 public:
  Tensor loss(const Step& step) override { return squares(detach(difference(step))); }
};

class Unrecorded final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    const NoGrad guard;
    return squares(difference(step));
  }
};

class Compares final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    return mean(to(step.student.logits > step.teacher.logits, Dtype::Float32));
  }
};

class TeacherOnly final : public Silent {
 public:
  Tensor loss(const Step& step) override { return squares(step.teacher.logits); }
};

/// 0 times the student: a path, and nothing on it.
class Flat final : public Silent {
 public:
  Tensor loss(const Step& step) override { return squares(difference(step)) * 0.0; }
};

/// Trains its own gain against numbers of the student that have no gradient.
class OwnOnly final : public Silent {
 public:
  void setup(Setup& setup) override { gain_ = setup.parameter("gain", {1}, init::constant(2)); }
  Tensor loss(const Step& step) override {
    return squares(gain_ * detach(step.student.logits) - step.teacher.logits);
  }

 private:
  Tensor gain_;
};

/// Declares a parameter that its loss never reads.
class Idle final : public Silent {
 public:
  void setup(Setup& setup) override { setup.parameter("never_read", {1}, init::constant(2)); }
  Tensor loss(const Step& step) override { return squares(difference(step)); }
};

/// Teaches for two steps alone.
class LosesItsPath final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    const Tensor loss = squares(difference(step));
    return step.step < 2 ? loss : detach(loss);
  }
};

/// Depends on how often it was called.
class CountsCalls final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    return squares(difference(step)) * static_cast<double>(++calls_);
  }

 private:
  int calls_ = 0;
};

class IsComplex final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    static const Operator complex("aten::complex");
    return sum(complex(step.student.logits, step.student.logits));
  }
};

class LogsNan final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    step.log("gap", step.step == 1 ? std::nan("") : 1.0);
    return squares(difference(step));
  }
};

class ReadsFreshMemory final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    static const Operator empty_like("aten::empty_like");
    return squares(difference(step)) + mean(empty_like(step.student.logits));
  }
};

/// Right: nothing in the first epoch, a loss from the second on.
class WarmsUp final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    return step.epoch == 0 ? zeros({}) : squares(difference(step));
  }
};

/// Right: its state is 0 until the first step is done.
class FillsUp final : public Silent {
 public:
  void setup(Setup& setup) override { filled_ = setup.buffer("filled", {}, init::zeros()); }
  Tensor loss(const Step& step) override { return filled_ * squares(difference(step)); }
  void after_backward(const Step&) override {
    static const Operator fill("aten::fill_", "Scalar");
    fill(filled_, 1.0);
  }

 private:
  Tensor filled_;
};

/// Right, and declares nothing: then it reads the logits.
class Plain final : public Silent {
 public:
  Tensor loss(const Step& step) override { return squares(difference(step)); }
};

class ReadsLabels final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    return mean(gather(step.student.logits, 1, unsqueeze(step.labels, 1)));
  }
};

/// As a plugin in plain C does: hands the missing value on to the host.
class ReadsPastTheSdk final : public Silent {
 public:
  Tensor loss(const Step&) override {
    const retort_value none{};
    int64_t sizes[RETORT_MAX_RANK];
    uint32_t rank = 0;
    detail::Failure failure;
    detail::check(detail::host().shape(&none, sizes, &rank, &failure));
    return Tensor();
  }
};

class ReadsIndices final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    return mean(step.student.logits) * static_cast<double>(step.indices.size(0));
  }
};

class ReadsTrainLabels final : public Silent {
 public:
  void setup(Setup& setup) override { first_ = setup.labels[0]; }
  Tensor loss(const Step& step) override {
    return mean(step.student.logits) * static_cast<double>(first_);
  }

 private:
  int64_t first_ = 0;
};

class ReadsLogits final : public Silent {
 public:
  Tensor loss(const Step& step) override { return mean(step.student.logits); }
};

class ReadsATapUnbound final : public Silent {
 public:
  Tensor loss(const Step& step) override { return mean(step.student.features[0]); }
};

class ReadsTheThirdTap final : public Silent {
 public:
  Tensor loss(const Step& step) override { return mean(step.student.features[2]); }
};

class ReadsTheThirdShape final : public Silent {
 public:
  void setup(Setup& setup) override { width_ = setup.student.features[2][1]; }
  Tensor loss(const Step& step) override {
    return mean(step.student.features[0]) * static_cast<double>(width_);
  }

 private:
  int64_t width_ = 0;
};

/// Takes maps alone, and finds that out in loss().
class ReadsMaps final : public Silent {
 public:
  Tensor loss(const Step& step) override {
    const Shape shape = step.student.features[0].shape();
    return mean(step.student.features[0]) * static_cast<double>(shape[2] * shape[3]);
  }
};

/// Right: keeps each sample's class, as set-up and then as steps tell it.
class Bank final : public Silent {
 public:
  void setup(Setup& setup) override {
    const std::vector<int64_t> labels(setup.labels, setup.labels + setup.train_count);
    bank_ = setup.buffer("bank", {setup.train_count},
                         init::values(std::vector<double>(labels.begin(), labels.end())));
  }
  Tensor loss(const Step& step) override { return squares(step.student.logits); }
  void after_backward(const Step& step) override {
    static const Operator write("aten::index_copy_");
    write(bank_, 0, step.indices, to(step.labels, bank_.dtype()) + 100.0);
  }

 private:
  Tensor bank_;
};

/// Right, and alike in training and evaluation.
class Linear : public Model {
 public:
  struct Options {
  } options;
  void build(const ModelBuild& build) override {
    fc_ =
        nn::Linear(build.in("fc"), build.channels * build.height * build.width, build.class_count);
  }
  Tensor forward(const Tensor& input, const Taps&) override { return end(fc_(flatten(input, 1))); }

 private:
  virtual Tensor end(const Tensor& logits) const { return logits; }
  nn::Linear fc_;
};

/// Declares parameters that forward() never reads, reads past a detach, or reads for a tap alone; and
/// one that is not to be trained.
class Unreached final : public Linear {
 public:
  void build(const ModelBuild& build) override {
    Linear::build(build);
    for (const char* name : {"never_read", "b", "c", "d", "e", "f"})
      build.parameter(name, {1}, init::ones());
    cut_ = build.parameter("cut", {1}, init::ones());
    of_tap_ = build.parameter("of_tap", {1}, init::ones());
    build.parameter("fixed", {1}, init::ones(), Role::Weight, 0);
  }
  Tensor forward(const Tensor& input, const Taps& taps) override {
    const Tensor logits = Linear::forward(input, taps);
    taps("side", logits * of_tap_);
    return logits + mean(detach(cut_ * 2.0)) * 0.0;
  }

 private:
  Tensor cut_, of_tap_;
};

class NoGradient final : public Linear {
  Tensor end(const Tensor& logits) const override { return detach(logits); }
};

class WholeNumbers final : public Linear {
  Tensor end(const Tensor& logits) const override { return to(logits, Dtype::Int64); }
};

/// Gives other logits at each call.
class CountsForward final : public Linear {
  Tensor end(const Tensor& logits) const override { return logits * static_cast<double>(++calls_); }
  mutable int calls_ = 0;
};

/// Takes a statistic of the batch in evaluation too.
class TakesTheBatch final : public Linear {
  Tensor end(const Tensor& logits) const override { return logits - mean(logits, {0}, true); }
};

class IgnoresItsInput final : public Linear {
 public:
  Tensor forward(const Tensor& input, const Taps& taps) override {
    return Linear::forward(input * 0.0 + 1.0, taps);
  }
};

/// Publishes a tap of another shape for more than one image.
class ChangesATap final : public Linear {
 public:
  Tensor forward(const Tensor& input, const Taps& taps) override {
    const Tensor logits = Linear::forward(input, taps);
    taps("side", input.size(0) == 1 ? logits : unsqueeze(logits, 2));
    return logits;
  }
};

/// Right, with options that `retort probe` has keys of the same name for.
class Clashes final : public Strategy {
 public:
  struct Options {
    int64_t seed = 3;
    int64_t epoch = 5;
  } options;
  Tensor loss(const Step& step) override {
    return squares(step.student.logits) * static_cast<double>(100 * options.seed + options.epoch);
  }
};

template <class S, class... Traits>
constexpr auto silent(std::string_view id, Traits... traits) {
  return strategy<S>(id, "0.1.0", "Wrong in silence, for tests", traits...);
}

}  // namespace

RETORT_PLUGIN(
    silent<Detached>("silent.detached", needs(Logits)),
    silent<Unrecorded>("silent.no_grad", needs(Logits)),
    silent<Compares>("silent.compares", needs(Logits)),
    silent<TeacherOnly>("silent.teacher_only", needs(Logits)),
    silent<Flat>("silent.flat", needs(Logits)), silent<OwnOnly>("silent.own_only", needs(Logits)),
    silent<Idle>("silent.idle", needs(Logits)), silent<WarmsUp>("silent.warms_up", needs(Logits)),
    silent<FillsUp>("silent.fills_up", needs(Logits), uses("aten::fill_", "Scalar")),
    silent<LosesItsPath>("silent.loses_its_path", needs(Logits)),
    silent<CountsCalls>("silent.counts_calls", needs(Logits)),
    silent<IsComplex>("silent.is_complex", needs(Logits), uses("aten::complex")),
    silent<LogsNan>("silent.logs_nan", needs(Logits)),
    silent<ReadsFreshMemory>("silent.reads_fresh_memory", needs(Logits), uses("aten::empty_like")),
    silent<Plain>("silent.plain"), silent<ReadsLabels>("silent.reads_labels", needs(Logits)),
    silent<ReadsPastTheSdk>("silent.reads_past_the_sdk", needs(Logits)),
    silent<ReadsIndices>("silent.reads_indices", needs(Logits, Labels)),
    silent<ReadsTrainLabels>("silent.reads_train_labels", needs(Logits, Indices)),
    silent<ReadsLogits>("silent.reads_logits", binds("pooled")),
    silent<ReadsATapUnbound>("silent.reads_a_tap_unbound", needs(Logits)),
    silent<ReadsTheThirdTap>("silent.reads_the_third_tap", binds("pooled")),
    silent<ReadsTheThirdShape>("silent.reads_the_third_shape", binds("pooled")),
    silent<ReadsMaps>("silent.reads_maps", binds("layer2")),
    silent<Clashes>("silent.clashes", needs(Logits), option("seed", &Clashes::Options::seed),
                    option("epoch", &Clashes::Options::epoch)),
    silent<Bank>("silent.bank", needs(Logits, Labels, Indices), uses("aten::index_copy_")),
    model<Linear>("silent.linear", "0.1.0", "One matrix, for tests"),
    model<CountsForward>("silent.counts_forward", "0.1.0", "Counts its calls, for tests"),
    model<TakesTheBatch>("silent.takes_the_batch", "0.1.0", "Statistics in evaluation, for tests"),
    model<IgnoresItsInput>("silent.ignores_its_input", "0.1.0", "Looks at nothing, for tests"),
    model<ChangesATap>("silent.changes_a_tap", "0.1.0", "A tap of two shapes, for tests"),
    model<Unreached>("silent.unreached", "0.1.0", "Parameters that nothing reaches, for tests"),
    model<NoGradient>("silent.no_gradient", "0.1.0", "Logits that nothing reaches, for tests"),
    model<WholeNumbers>("silent.whole_numbers", "0.1.0", "Logits of int64, for tests"))
