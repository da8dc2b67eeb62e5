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
#include <utility>

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

/// An evaluation that grows by batches, so that the logits of all samples are never held together.
class EvaluationSum {
 public:
  /// logits [N, C] in any type, labels [N] int64; both on the CPU.
  void add(const at::Tensor& logits, const at::Tensor& labels);
  Evaluation take();

 private:
  Evaluation sum_;
  Calibration calibration_;
};

void EvaluationSum::add(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor scores = at::log_softmax(logits, 1, at::kDouble).contiguous();  // [N, C]
  const at::Tensor largest = logits.argmax(1).contiguous();                        // [N]
  const double* rows = scores.const_data_ptr<double>();
  const int64_t* predicted = largest.const_data_ptr<int64_t>();
  const int64_t* wanted = labels.const_data_ptr<int64_t>();
  const int64_t classes = logits.size(1);
  sum_.class_count = classes;
  sum_.samples += logits.size(0);
  sum_.class_correct.resize(static_cast<size_t>(classes));
  sum_.class_total.resize(static_cast<size_t>(classes));
  for (int64_t i = 0; i < logits.size(0); ++i) {
    const double* row = rows + i * classes;  // [C]
    const bool finite = std::isfinite(row[predicted[i]]);
    const bool correct = finite && predicted[i] == wanted[i];
    sum_.top1_correct += correct ? 1 : 0;
    sum_.top5_correct += finite && rank_of(row, classes, wanted[i]) < kMostTop ? 1 : 0;
    sum_.cross_entropy -= row[wanted[i]];
    calibration_.add(std::exp(row[predicted[i]]), correct);
    sum_.class_correct[static_cast<size_t>(wanted[i])] += correct ? 1 : 0;
    ++sum_.class_total[static_cast<size_t>(wanted[i])];
    sum_.predictions.push_back(predicted[i]);
  }
}

Evaluation EvaluationSum::take() {
  sum_.cross_entropy /= static_cast<double>(std::max<int64_t>(sum_.samples, 1));
  sum_.calibration_error = calibration_.expected_error();
  return std::move(sum_);
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
    const at::Tensor logits = network.forward(images, {}, PassMode::Evaluate).logits;
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
  EvaluationSum sum;
  for (int64_t first = 0; first < data.test.size(); first += batch_size) {
    const int64_t count = std::min(batch_size, data.test.size() - first);
    const at::Tensor images = views.test_views(first, count).to(network.placement().device);
    sum.add(network.forward(images, {}, PassMode::Evaluate).logits.to(at::kCPU),
            data.labels(EvalSplit::Test, first, count));
  }
  Evaluation evaluation = sum.take();
  if (teacher != nullptr) compare_with_teacher(evaluation, *teacher);
  return evaluation;
}

Evaluation evaluate_samples(Network& network, const ImageData& data, const ViewMaker& views,
                            int64_t batch_size, std::span<const int64_t> samples) {
  const c10::NoGradGuard without_gradients;
  const auto most = static_cast<size_t>(batch_size);
  EvaluationSum sum;
  for (; !samples.empty(); samples = samples.subspan(std::min(most, samples.size()))) {
    std::vector<at::Tensor> images, labels;
    for (const int64_t sample : samples.first(std::min(most, samples.size()))) {
      images.push_back(views.test_views(sample, 1));
      labels.push_back(data.labels(EvalSplit::Test, sample, 1));
    }
    const at::Tensor batch = at::cat(images).to(network.placement().device);
    sum.add(network.forward(batch, {}, PassMode::Evaluate).logits.to(at::kCPU), at::cat(labels));
  }
  return sum.take();
}

Evaluation evaluation_of(const at::Tensor& logits, const at::Tensor& labels) {
  EvaluationSum sum;
  sum.add(logits, labels);
  return sum.take();
}

void compare_with_teacher(Evaluation& student, const Evaluation& teacher) {
  std::vector<std::pair<int64_t, int64_t>> pairs;  // teacher's class, student's
  int64_t equal = 0;
  for (size_t i = 0; i < student.predictions.size(); ++i) {
    pairs.emplace_back(teacher.predictions[i], student.predictions[i]);
    equal += pairs.back().first == pairs.back().second ? 1 : 0;
  }
  std::sort(pairs.begin(), pairs.end());
  student.confusion.clear();
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || pairs[i] != pairs[i - 1]) {
      student.confusion.push_back({pairs[i].first, pairs[i].second, 0});
    }
    ++student.confusion.back().samples;
  }
  student.agreement =
      static_cast<double>(equal) / static_cast<double>(std::max<int64_t>(student.samples, 1));
}

}  // namespace retort::host
