#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "framework/data/views.hpp"
#include "framework/train/confusion.hpp"
#include "framework/train/network.hpp"

namespace retort::host {

/// How a network does on a split.
struct Accuracy {
  int64_t correct = 0;
  int64_t total = 0;
  int64_t not_finite =
      0;  // of total: the largest logit is NaN or infinite; none of them is correct
  double top1() const {
    return total == 0 ? 0 : 100.0 * static_cast<double>(correct) / static_cast<double>(total);
  }
};

/// All that is told of a network on the test split. Shares are of 1.
struct Evaluation {
  int64_t samples = 0;
  int64_t class_count = 0;
  int64_t top1_correct = 0;
  int64_t top5_correct = 0;  // the label is among the five largest logits, or all of fewer classes
  double calibration_error = 0;  // expected, 15 bins of equal width (Guo et al. 2017, eq. 3)
  double cross_entropy = 0;      // mean over the samples, in nats
  std::vector<int64_t> class_correct, class_total;  // [C] by label
  std::vector<int64_t> predictions;                 // [samples]
  // Against the teacher, once compare_with_teacher() has seen it:
  std::optional<double> agreement;        // share of samples that both give the same class
  std::vector<ConfusionEntry> confusion;  // of the pairs that occur, by the teacher's class
};

/// Counts the images of a split whose largest logit is the label, in evaluation mode without
/// gradients. Warns of logits that are not finite.
Accuracy evaluate(Network& network, const ImageData& data, const ViewMaker& views,
                  int64_t batch_size, EvalSplit split = EvalSplit::Test);

/// Evaluates in full, and against the teacher's predictions where they are given. Memory is that of a
/// batch's logits, and some numbers a class and a sample.
Evaluation evaluate_in_detail(Network& network, const ImageData& data, const ViewMaker& views,
                              int64_t batch_size, const Evaluation* teacher = nullptr);

/// The same on some samples of the test split, in their order.
Evaluation evaluate_samples(Network& network, const ImageData& data, const ViewMaker& views,
                            int64_t batch_size, std::span<const int64_t> samples);

/// The same from logits [N, C] of all samples, in any type, and labels [N] int64; both on the CPU.
Evaluation evaluation_of(const at::Tensor& logits, const at::Tensor& labels);

/// Fills in agreement and confusion. Both evaluations are of the same samples.
void compare_with_teacher(Evaluation& student, const Evaluation& teacher);

}  // namespace retort::host
