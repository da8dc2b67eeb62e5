#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Uses a part of everything that a strategy of SDK ABI 0.2 has: options of each type, an own
/// parameter, operators, a metric.
///   d    = gain * z_s - z_t, each less its mean over the classes where `center`
///   loss = scale * mean(d^2), or scale * mean(|d|) for norm = "l1"; gain starts at 2
/// Source:  ours, for tests alone.
/// Inputs:  student.logits [N, C]; teacher.logits [N, C].
/// Output:  [] float.
class Gap final : public Strategy {
 public:
  struct Options {
    double scale = 1;
    int64_t times = 1;
    bool center = false;
    std::string_view norm = "l2";
  } options;

  void setup(Setup& setup) override { gain_ = setup.parameter("gain", {1}, init::constant(2)); }

  Tensor loss(const Step& step) override {
    Tensor gap = gain_ * step.student.logits - step.teacher.logits;  // [N, C]
    if (options.center) gap = gap - mean(gap, -1, true);
    const Tensor loss = options.norm == "l1" ? mean(abs(gap)) : mean(square(gap));
    step.log("gap", loss);
    return loss * (options.scale * static_cast<double>(options.times));
  }

 private:
  Tensor gain_;  // [1]
};

}  // namespace

RETORT_STRATEGY(Gap, "golden.gap", "0.1.0", "Distance of logits, for tests", needs(Logits),
                licence("MIT"),
                option("scale", &Gap::Options::scale).above(0).help("multiplies the loss"),
                option("times", &Gap::Options::times).at_least(1).help("multiplies it too"),
                option("center", &Gap::Options::center).help("subtract each sample's mean"),
                option("norm", &Gap::Options::norm).help("l1 or l2"))
