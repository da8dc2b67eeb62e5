#pragma once

#include <string>

#include "retort/builder.hpp"
#include "retort/ops.hpp"

// Layers whose parameters and buffers belong to the host. Names, shapes and default initialisers
// are PyTorch's, so a state_dict fits without renaming. A default-constructed layer must not be
// called.

RETORT_BEGIN_NAMESPACE

namespace detail {
/// The square root. <cmath> alone is a third of what the standard headers cost a plugin's compiler.
inline double root(double x) { return __builtin_sqrt(x); }
/// By way of long double: log and exp of double would need glibc 2.29.
inline double natural_log(double x) { return static_cast<double>(__builtin_logl(x)); }
inline double exponential(double x) { return static_cast<double>(__builtin_expl(x)); }
}  // namespace detail

namespace nn {

/// The settings of a convolution besides its channels and kernel; PyTorch's defaults.
struct ConvOptions {
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t groups = 1;
  bool bias = true;
  Init weight_init = init::kaiming_uniform(detail::root(5.0));
};

/// Convolution of [N, in, H, W] with weight [out, in / groups, kernel, kernel] and bias [out].
class Conv2d {
 public:
  Conv2d() = default;
  RETORT_COLD Conv2d(const Builder& builder, int64_t in, int64_t out, int64_t kernel,
                     const ConvOptions& options = {})
      : stride_(options.stride), padding_(options.padding), groups_(options.groups) {
    const int64_t fan_in = in / groups_ * kernel * kernel;
    weight_ = builder.parameter("weight", {out, in / groups_, kernel, kernel}, options.weight_init);
    if (options.bias) {
      const double bound = 1 / detail::root(static_cast<double>(fan_in));
      bias_ = builder.parameter("bias", {out}, init::uniform(-bound, bound), Role::Bias);
    }
  }
  Tensor operator()(const Tensor& x) const {
    return conv2d(x, weight_, bias_, stride_, padding_, 1, groups_);
  }

 private:
  Tensor weight_, bias_;
  int64_t stride_ = 1, padding_ = 0, groups_ = 1;
};

/// Transposed convolution of [N, in, H, W] with weight [in, out / groups, kernel, kernel] and bias
/// [out].
class ConvTranspose2d {
 public:
  ConvTranspose2d() = default;
  RETORT_COLD ConvTranspose2d(const Builder& builder, int64_t in, int64_t out, int64_t kernel,
                              const ConvOptions& options = {})
      : stride_(options.stride), padding_(options.padding), groups_(options.groups) {
    const int64_t fan_in = out / groups_ * kernel * kernel;  // as PyTorch counts it
    weight_ = builder.parameter("weight", {in, out / groups_, kernel, kernel}, options.weight_init);
    if (options.bias) {
      const double bound = 1 / detail::root(static_cast<double>(fan_in));
      bias_ = builder.parameter("bias", {out}, init::uniform(-bound, bound), Role::Bias);
    }
  }
  Tensor operator()(const Tensor& x) const {
    return conv_transpose2d(x, weight_, bias_, stride_, padding_, 0, groups_);
  }

 private:
  Tensor weight_, bias_;
  int64_t stride_ = 1, padding_ = 0, groups_ = 1;
};

/// Batch normalisation of [N, C, ...]: parameters weight, bias; buffers running_mean, running_var,
/// all [C]. Uses and updates batch statistics while the network trains, running ones in evaluation.
/// Source:  Ioffe and Szegedy 2015, arXiv:1502.03167.
class BatchNorm {
 public:
  BatchNorm() = default;
  RETORT_COLD BatchNorm(const Builder& builder, int64_t channels)
      : weight_(builder.parameter("weight", {channels}, init::ones(), Role::Norm)),
        bias_(builder.parameter("bias", {channels}, init::zeros(), Role::Norm)),
        running_mean_(builder.buffer("running_mean", {channels}, init::zeros())),
        running_var_(builder.buffer("running_var", {channels}, init::ones())) {}
  Tensor operator()(const Tensor& x) const {
    return batch_norm(x, weight_, bias_, running_mean_, running_var_,
                      detail::host().training() != 0);
  }

  /// relu((*this)(x)), and relu((*this)(x) + other): the same bits in one operator.
  Tensor relu(const Tensor& x, const Tensor& other = {}) const {
    return batch_norm_relu(x, weight_, bias_, running_mean_, running_var_,
                           detail::host().training() != 0, other);
  }

 private:
  Tensor weight_, bias_, running_mean_, running_var_;
};

/// A convolution without bias that keeps the size, divided by the stride, and its batch norm. The
/// two are named apart: ConvNorm(build.in("conv1"), build.in("bn1"), 3, 16, 3).
class ConvNorm {
 public:
  ConvNorm() = default;
  RETORT_COLD ConvNorm(const Builder& conv, const Builder& norm, int64_t in, int64_t out,
                       int64_t kernel, int64_t stride = 1, int64_t groups = 1,
                       Init weight_init = init::kaiming_normal(0, Fan::Out)) {
    ConvOptions options;
    options.stride = stride;
    options.padding = kernel / 2;
    options.groups = groups;
    options.bias = false;
    options.weight_init = std::move(weight_init);
    conv_ = Conv2d(conv, in, out, kernel, options);
    norm_ = BatchNorm(norm, out);
  }
  Tensor operator()(const Tensor& x) const { return norm_(conv_(x)); }
  /// relu((*this)(x)), and relu((*this)(x) + other): the same bits in fewer operators.
  Tensor relu(const Tensor& x, const Tensor& other = {}) const {
    return norm_.relu(conv_(x), other);
  }

 private:
  Conv2d conv_;
  BatchNorm norm_;
};

/// Affine map of [..., in] with parameters weight [out, in] and bias [out].
class Linear {
 public:
  Linear() = default;
  RETORT_COLD Linear(const Builder& builder, int64_t in, int64_t out, bool bias = true) {
    const double bound = 1 / detail::root(static_cast<double>(in));
    weight_ = builder.parameter("weight", {out, in}, init::kaiming_uniform(detail::root(5.0)));
    if (bias) bias_ = builder.parameter("bias", {out}, init::uniform(-bound, bound), Role::Bias);
  }
  /// With a weight that starts as told, and a bias that starts at zero.
  RETORT_COLD Linear(const Builder& builder, int64_t in, int64_t out, const Init& weight_init)
      : weight_(builder.parameter("weight", {out, in}, weight_init)),
        bias_(builder.parameter("bias", {out}, init::zeros(), Role::Bias)) {}
  Tensor operator()(const Tensor& x) const { return linear(x, weight_, bias_); }

 private:
  Tensor weight_, bias_;
};

/// Maps a student's feature map to the shape of a teacher's: a convolution, batch norm, ReLU. The
/// convolution is chosen by the heights, and the widths must follow: twice the teacher's, 3x3
/// stride 2; half of it, transposed 4x4 stride 2; at least as high, a kernel of the difference plus
/// one without padding.
/// Source:  Romero et al. 2015, arXiv:1412.6550, section 2.2; kernel rule of the CRD authors'
///          ConvReg.
/// Inputs:  student [N, Cs, Hs, Ws] -> [N, Ct, Ht, Wt].
/// Throws:  ShapeError when no such convolution exists.
class ConvRegressor {
 public:
  ConvRegressor() = default;
  RETORT_COLD ConvRegressor(const Builder& builder, const Shape& student, const Shape& teacher) {
    if (student.rank() != 4 || teacher.rank() != 4) {
      throw ShapeError(message("a convolutional adapter maps [N, C, H, W] to [N, C, H, W], not ",
                               student.text(), " to ", teacher.text(),
                               "; bind taps that are feature maps"));
    }
    const int64_t height = student[2], wanted = teacher[2];
    ConvOptions options;
    int64_t width = student[3];  // of what comes out
    if (2 * height == wanted) {
      width *= 2;
      options.stride = 2;
      options.padding = 1;
      up_ = ConvTranspose2d(builder.in("conv"), student[1], teacher[1], 4, options);
      transposed_ = true;
    } else if (height == 2 * wanted) {
      width = (width + 1) / 2;
      options.stride = 2;
      options.padding = 1;
      conv_ = Conv2d(builder.in("conv"), student[1], teacher[1], 3, options);
    } else if (height >= wanted) {
      width += wanted - height;
      conv_ = Conv2d(builder.in("conv"), student[1], teacher[1], 1 + height - wanted, options);
    } else {
      throw ShapeError(
          message("no adapter from height ", height, " (student) up to ", wanted,
                  " (teacher); bind a student tap of at least half the teacher's height"));
    }
    if (width != teacher[3]) {
      throw ShapeError(message("the adapter that maps height ", height, " to ", wanted,
                               " makes width ", width, " of ", student[3], ", not the teacher's ",
                               teacher[3], "; bind taps of the same proportions"));
    }
    norm_ = BatchNorm(builder.in("bn"), teacher[1]);
  }
  Tensor operator()(const Tensor& x) const { return relu(norm_(transposed_ ? up_(x) : conv_(x))); }

 private:
  Conv2d conv_;
  ConvTranspose2d up_;
  BatchNorm norm_;
  bool transposed_ = false;
};

}  // namespace nn

RETORT_END_NAMESPACE
