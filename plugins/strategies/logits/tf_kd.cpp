#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Regularises the student as a teacher would, without one: by a distribution made from the label.
///   virtual_teacher:  v = correct_prob on the label, (1 - correct_prob) / (C - 1) elsewhere
///                     loss = KL(softmax(v / t) || softmax(z_s)) / C, mean over the batch
///   label_smoothing:  u = 1 - smoothing on the label, smoothing / (C - 1) elsewhere
///                     loss = -mean_n sum_c u log softmax(z_s)
/// Source:  Yuan et al. 2020, arXiv:1909.11723 (Tf-KD_reg), and the authors' code.
/// Inputs:  student.logits [N, C], requires grad; labels [N]; no teacher.
/// Output:  [] float32, >= 0.
/// Params:  mode          virtual_teacher (default) or label_smoothing.
///          temperature   > 0, default 20, of the virtual teacher.
///          correct_prob  in (1 / C, 1), default 0.99, of the virtual teacher.
///          smoothing     in [0, 1), default 0.1, of label_smoothing.
/// Throws:  ShapeError at set-up for one class; ConfigError where the virtual teacher prefers no
///          label.
/// Differs: as in the authors' code the virtual teacher alone has the temperature, and the mean is
///          over all N C elements: C times smaller than a KL, so its usual weight is up to 100
///          times alpha. label_smoothing holds the cross-entropy: set task.weight = 0. Their
///          self-training (Tf-KD_self) is logits.kd with a trained copy of the student as teacher.
class TfKd final : public Strategy {
 public:
  enum class Mode { VirtualTeacher, LabelSmoothing };
  struct Options {
    Mode mode = Mode::VirtualTeacher;
    double temperature = 20;
    double correct_prob = 0.99;
    double smoothing = 0.1;
  } options;

  void setup(Setup& setup) override {
    require_classes(setup.student.logits);
    if (options.mode == Mode::VirtualTeacher &&
        options.correct_prob * static_cast<double>(setup.class_count) <= 1) {
      throw ConfigError(message("correct_prob makes the label no likelier than any other of the ",
                                setup.class_count, " classes; set it above 1 / ",
                                setup.class_count));
    }
  }

  Tensor loss(const Step& step) override {
    const Tensor student = log_softmax(step.student.logits, 1);  // [N, C]
    if (options.mode == Mode::LabelSmoothing)
      return -mean(sum(around(step, 1 - options.smoothing) * student, 1));
    const Tensor virtual_teacher = around(step, options.correct_prob);
    return kl_div(student, log_softmax(virtual_teacher / options.temperature, 1), Reduction::Mean,
                  true);
  }

 private:
  /// Probabilities: `own` for the label, the rest in equal parts. [N, C]
  static Tensor around(const Step& step, double own) {
    const Tensor& logits = step.student.logits;
    const double other = (1 - own) / static_cast<double>(logits.size(1) - 1);
    return scatter(full_like(logits, other), 1, unsqueeze(step.labels, 1), own);
  }
};

}  // namespace

RETORT_STRATEGY(
    TfKd, "logits.tf_kd", "1.0.0", "Teacher-free distillation (Yuan 2020)", needs(Logits, Labels),
    teacher_free(), paper("Yuan et al. 2020, arXiv:1909.11723"), verified("the authors' code"),
    licence("MIT"),
    option("mode", &TfKd::Options::mode)
        .one_of("virtual_teacher", "label_smoothing")
        .help("what stands for the teacher"),
    option("temperature", &TfKd::Options::temperature).above(0).help("softens the virtual teacher"),
    option("correct_prob", &TfKd::Options::correct_prob)
        .above(0)
        .below(1)
        .help("what the virtual teacher gives the label"),
    option("smoothing", &TfKd::Options::smoothing)
        .at_least(0)
        .below(1)
        .help("what label_smoothing gives all other classes together"))
