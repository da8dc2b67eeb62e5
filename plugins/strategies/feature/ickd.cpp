#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// How the channels of each sample relate: their products, rows of length 1. [N, C, C]
Tensor channel_relations(const Tensor& map) {
  const Tensor rows = flatten(map, 2);  // [N, C, H W]
  return normalize(bmm(rows, transpose(rows, 1, 2)), 2, 2);
}

/// Makes the channels of the student's feature map relate to each other as the teacher's do.
///   f'   = batch_norm(conv1x1(f_s)), with the teacher's channels C
///   G    = rows of f f^T with length 1, for each sample
///   loss = sum((G(f') - G(f_t))^2) / (C N), summed over the bound taps
/// Source:  Liu et al. 2021, arXiv:2202.03680 (ICKD-C), section 3.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features [N, Ct, Ht, Wt];
///          their sizes may differ.
/// Output:  [] float32, >= 0.
/// Params:  form  "cifar" (default): / (C N), as the authors' CIFAR code; "imagenet": / (C N^2), as
///                their ImageNet code, for which they publish the weight 500.
/// Throws:  ShapeError at set-up for a tap that is no feature map, a teacher's of one channel, and a
///          student's of one number a channel.
/// Differs: the authors' ImageNet code embeds by a 3x3 convolution (padding 1); here "imagenet" sets
///          the scale alone, and the embedding is the 1x1 of their CIFAR code for both.
class Ickd final : public Strategy {
 public:
  enum class Form { Cifar, ImageNet };
  struct Options {
    Form form = Form::Cifar;
  } options;

  void setup(Setup& setup) override {
    for (size_t i = 0; i < setup.student.features.size(); ++i) {
      const Shape& student = setup.student.features[i];
      const Shape& teacher = setup.teacher.features[i];
      require_maps(student, teacher);
      if (teacher[1] == 1) {
        throw ShapeError(
            message("the teacher's feature map ", teacher.text(),
                    " has a single channel, which relates to itself alone, so the loss "
                    "can only be 0; bind a tap of more channels"));
      }
      require_variance(student);
      const Builder embed = setup.in(message("embed", i));
      nn::ConvOptions no_bias;
      no_bias.bias = false;
      convs_.emplace_back(embed.in("conv"), student[1], teacher[1], 1, no_bias);
      norms_.emplace_back(embed.in("bn"), teacher[1]);
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < convs_.size(); ++i) {
      const Tensor embedded = norms_[i](convs_[i](step.student.features[i]));  // [N, C, Hs, Ws]
      const Tensor& teacher = step.teacher.features[i];
      const Shape shape = teacher.shape();
      const double n = static_cast<double>(shape[0]), c = static_cast<double>(shape[1]);
      const double count = options.form == Form::Cifar ? c * n : c * n * n;
      total +=
          mse_loss(channel_relations(embedded), channel_relations(teacher), Reduction::Sum) / count;
    }
    return total;
  }

 private:
  std::vector<nn::Conv2d> convs_;
  std::vector<nn::BatchNorm> norms_;
};

}  // namespace

RETORT_STRATEGY(Ickd, "feature.ickd", "1.0.0", "Inter-channel correlation (Liu 2021)",
                binds("last_map"), paper("Liu et al. 2021, arXiv:2202.03680"),
                verified("the authors' code"), licence("MIT"),
                option("form", &Ickd::Options::form)
                    .one_of("cifar", "imagenet")
                    .help("which of the authors' codes sets the scale"))
