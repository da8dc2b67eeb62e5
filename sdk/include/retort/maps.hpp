#pragma once

#include "retort/nn.hpp"
#include "retort/ops.hpp"

// What several strategies do with feature maps before they compare them.

RETORT_BEGIN_NAMESPACE

/// The feature maps of one pair of taps, of equal height and width; their channels may differ.
struct MapPair {
  Tensor student;  // [N, Cs, H, W]
  Tensor teacher;  // [N, Ct, H, W]
};

/// For set-up: refuses a pair of taps of which one is no feature map.
/// Throws:  ShapeError.
inline void require_maps(const Shape& student, const Shape& teacher) {
  if (student.rank() == 4 && teacher.rank() == 4) return;
  throw ShapeError(message("compares feature maps [N, C, H, W], not ", student.text(), " with ",
                           teacher.text(), "; bind taps that are feature maps"));
}

/// The height and width at which match_size compares two maps: those of the lower one, or of the
/// narrower where both are as high.
/// Throws:  ShapeError for a tap that is no feature map.
inline Shape matched_size(const Shape& student, const Shape& teacher) {
  require_maps(student, teacher);
  const bool teachers =
      student[2] > teacher[2] || (student[2] == teacher[2] && student[3] > teacher[3]);
  return teachers ? Shape{teacher[2], teacher[3]} : Shape{student[2], student[3]};
}

/// What to do about maps that are too small to compare.
inline constexpr const char* kBindLargerMaps =
    "bind taps with larger maps, from before the last stride or pooling, or take larger images";

/// For set-up of a loss on maps that are normalised over their pixels: refuses those that match_size
/// compares at a single pixel, where the loss can only be 0.
/// Throws:  ShapeError.
RETORT_COLD inline void require_pixels(const Shape& student, const Shape& teacher) {
  if (matched_size(student, teacher).numel() > 1) return;
  throw ShapeError(
      message("compares the feature maps ", student.text(), " (student) and ", teacher.text(),
              " (teacher) at one pixel, where the loss can only be 0; ", kBindLargerMaps));
}

/// For set-up of a module with batch norm: refuses to normalise one number a channel.
/// Inputs:  map [N, C, H, W] as it comes to the batch norm.
/// Throws:  ShapeError.
RETORT_COLD inline void require_variance(const Shape& map) {
  if (map.numel() > map[1]) return;
  throw ShapeError(message("normalises the feature map ", map.text(),
                           " over the batch, which is "
                           "one number a channel; raise data.batch_size, or ",
                           kBindLargerMaps));
}

/// 0, and NaN where a number of the tensor is not finite: added to a loss that masks or mends it, so
/// that a diverging run is not hidden. No gradient.
inline Tensor zero_if_finite(const Tensor& tensor) {
  const Tensor constant = detach(tensor);
  return sum(constant - constant);
}

/// Averages the larger of two maps (adaptive_avg_pool2d) down to the size of the other; the higher
/// is the larger, or the wider where both are as high.
/// Inputs:  student [N, Cs, Hs, Ws]; teacher [N, Ct, Ht, Wt].
/// Throws:  ShapeError for a tap that is no feature map.
inline MapPair match_size(const Tensor& student, const Tensor& teacher) {
  const Shape a = student.shape(), b = teacher.shape(), size = matched_size(a, b);
  const auto fits = [&size](const Shape& map) { return map[2] == size[0] && map[3] == size[1]; };
  return {fits(a) ? student : adaptive_avg_pool2d(student, size),
          fits(b) ? teacher : adaptive_avg_pool2d(teacher, size)};
}

/// Gives a student's feature map the channels of a teacher's: a 1x1 convolution with bias, or
/// nothing where the channels agree.
/// Inputs:  student [N, Cs, H, W] -> [N, Ct, H, W].
/// Throws:  ShapeError for a tap that is no feature map.
class ChannelAlign {
 public:
  ChannelAlign() = default;
  RETORT_COLD ChannelAlign(const Builder& builder, const Shape& student, const Shape& teacher) {
    require_maps(student, teacher);
    needed_ = student[1] != teacher[1];
    if (needed_) conv_ = nn::Conv2d(builder, student[1], teacher[1], 1);
  }
  Tensor operator()(const Tensor& x) const { return needed_ ? conv_(x) : x; }

 private:
  nn::Conv2d conv_;
  bool needed_ = false;
};

RETORT_END_NAMESPACE
