#include "framework/train/evaluate.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace retort::host {
namespace {

constexpr int64_t kMostTop = 5;
constexpr size_t kBins = 15;

/// The gap between confidence and accuracy, by confidence.
class Calibration {
 public:
  void add(double confidence, bool correct) {
    // The bins are (m/15, (m+1)/15]. A NaN goes to the first, and makes the error NaN.
    const double above = std::ceil(confidence * static_cast<double>(kBins)) - 1;
    const double bin = above > 0 ? std::min(above, static_cast<double>(kBins - 1)) : 0;
    gaps_[static_cast<size_t>(bin)] += confidence - (correct ? 1.0 : 0.0);
    ++count_;
  }
  double expected_error() const {
    double sum = 0;
    for (const double gap : gaps_) sum += std::abs(gap);
    return count_ == 0 ? 0 : sum / static_cast<double>(count_);
  }

 private:
  std::array<double, kBins> gaps_{};
  int64_t count_ = 0;
};

/// How many classes come before the label; equal logits count by their number, and a NaN is last.
int64_t rank_of(const double* row, int64_t classes, int64_t label) {
  int64_t rank = 0;
  for (int64_t other = 0; other < classes; ++other) {
    const bool behind = row[label] > row[other] || (row[label] == row[other] && other >= label);
    rank += other != label && !behind ? 1 : 0;
  }
  return rank;
}

}  // namespace

Accuracy evaluate(Network& network, const ImageData& data, const ViewMaker& views,
                  int64_t batch_size, EvalSplit split) {
  const c10::NoGradGuard without_gradients;
  const at::Device device = network.placement().device;
  // Counted on the device, so that the host waits once: correct, finite.
  at::Tensor counts = at::zeros({2}, at::TensorOptions().dtype(at::kLong).device(device));
  const int64_t size = data.size(split);
  for (int64_t first = 0; first < size; first += batch_size) {
    const int64_t count = std::min(batch_size, size - first);
    const at::Tensor images = views.test_views(first, count, split).to(device);
    const at::Tensor labels = data.labels(split, first, count).to(device);
    const at::Tensor logits = network.forward(images, {}, false).logits;
    const at::Tensor finite = logits.amax(1).isfinite();  // [N]; a NaN is the largest of its row
    const at::Tensor correct = logits.argmax(1).eq(labels).logical_and(finite);
    counts.add_(at::stack({correct.sum(), finite.sum()}));
  }
  counts = counts.cpu();
  const int64_t* values = counts.const_data_ptr<int64_t>();
  const Accuracy accuracy = {values[0], size, size - values[1]};
  if (accuracy.not_finite > 0) {
    spdlog::warn(
        "{}: for {} of {} {} images the largest logit is NaN or infinite; they count as "
        "wrong",
        network.role(), accuracy.not_finite, size,
        split == EvalSplit::Test ? "test" : "validation");
  }
  return accuracy;
}

Evaluation evaluate_in_detail(Network& network, const ImageData& data, const ViewMaker& views,
                              int64_t batch_size, const Evaluation* teacher) {
  const c10::NoGradGuard without_gradients;
  std::vector<at::Tensor> logits;
  for (int64_t first = 0; first < data.test.size(); first += batch_size) {
    const int64_t count = std::min(batch_size, data.test.size() - first);
    const at::Tensor images = views.test_views(first, count).to(network.placement().device);
    logits.push_back(network.forward(images, {}, false).logits.to(at::kCPU));
  }
  Evaluation evaluation = evaluation_of(at::cat(logits), data.test.labels);
  if (teacher != nullptr) compare_with_teacher(evaluation, *teacher);
  return evaluation;
}

Evaluation evaluation_of(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor scores = at::log_softmax(logits, 1, at::kDouble).contiguous();  // [N, C]
  const at::Tensor largest = logits.argmax(1).contiguous();                        // [N]
  const double* rows = scores.const_data_ptr<double>();
  const int64_t* predicted = largest.const_data_ptr<int64_t>();
  const int64_t* wanted = labels.const_data_ptr<int64_t>();
  Evaluation evaluation;
  evaluation.samples = logits.size(0);
  evaluation.class_count = logits.size(1);
  evaluation.class_correct.resize(static_cast<size_t>(evaluation.class_count));
  evaluation.class_total.resize(static_cast<size_t>(evaluation.class_count));
  Calibration calibration;
  for (int64_t i = 0; i < evaluation.samples; ++i) {
    const double* row = rows + i * evaluation.class_count;  // [C]
    const bool finite = std::isfinite(row[predicted[i]]);
    const bool correct = finite && predicted[i] == wanted[i];
    evaluation.top1_correct += correct ? 1 : 0;
    const bool among_top = rank_of(row, evaluation.class_count, wanted[i]) < kMostTop;
    evaluation.top5_correct += finite && among_top ? 1 : 0;
    evaluation.cross_entropy -= row[wanted[i]];
    calibration.add(std::exp(row[predicted[i]]), correct);
    evaluation.class_correct[static_cast<size_t>(wanted[i])] += correct ? 1 : 0;
    ++evaluation.class_total[static_cast<size_t>(wanted[i])];
    evaluation.predictions.push_back(static_cast<uint16_t>(predicted[i]));
  }
  evaluation.cross_entropy /= static_cast<double>(std::max<int64_t>(evaluation.samples, 1));
  evaluation.calibration_error = calibration.expected_error();
  return evaluation;
}

void compare_with_teacher(Evaluation& student, const Evaluation& teacher) {
  const auto classes = static_cast<size_t>(student.class_count);
  student.confusion.assign(classes * classes, 0);
  int64_t equal = 0;
  for (size_t i = 0; i < student.predictions.size(); ++i) {
    const size_t theirs = teacher.predictions[i], own = student.predictions[i];
    ++student.confusion[theirs * classes + own];
    equal += theirs == own ? 1 : 0;
  }
  student.agreement =
      static_cast<double>(equal) / static_cast<double>(std::max<int64_t>(student.samples, 1));
}

}  // namespace retort::host
