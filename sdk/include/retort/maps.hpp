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

/// Averages the larger of two maps (adaptive_avg_pool2d) down to the size of the other; the higher
/// is the larger, or the wider where both are as high.
/// Inputs:  student [N, Cs, Hs, Ws]; teacher [N, Ct, Ht, Wt].
/// Throws:  ShapeError for a tap that is no feature map.
inline MapPair match_size(const Tensor& student, const Tensor& teacher) {
  const Shape a = student.shape(), b = teacher.shape();
  require_maps(a, b);
  if (a[2] == b[2] && a[3] == b[3]) return {student, teacher};
  if (a[2] > b[2] || (a[2] == b[2] && a[3] > b[3]))
    return {adaptive_avg_pool2d(student, {b[2], b[3]}), teacher};
  return {student, adaptive_avg_pool2d(teacher, {a[2], a[3]})};
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
