#include "framework/run/teacher_quality.hpp"

#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "framework/base/text.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/run/result_table.hpp"
#include "framework/train/chance.hpp"

namespace retort::host {
namespace {

constexpr int64_t kMostSamples = 1024;
constexpr int64_t kFewestSamples = 128;
constexpr int64_t kMostMultiplyAdds = 100'000'000'000;  // seconds on two cores

/// "teacher", or "teacher big".
std::string name_text(const std::string& name) {
  return name == kTeacherRow ? name : kTeacherRow + (" " + name);
}

}  // namespace

std::string right_text(const Accuracy& accuracy, int64_t test_size) {
  const bool some = accuracy.total < test_size;
  return fmt::format("{} of {} test images{} right", grouped(accuracy.correct),
                     grouped(accuracy.total),
                     some ? " (spread over all " + grouped(test_size) + ")" : "");
}

std::string describe_guessing(const std::string& name, const Evaluation& teacher,
                              const at::Tensor& labels, int64_t test_size) {
  if (!may_be_guessing(teacher, labels)) return "";
  const Accuracy accuracy = {teacher.top1_correct, teacher.samples};
  return fmt::format(
      "the {} may be guessing: {}, {:.2f} %, is not clearly above chance with {} classes; "
      "check its weights, its normalize and the order of its classes",
      name_text(name), right_text(accuracy, test_size), accuracy.top1(),
      grouped(teacher.class_count));
}

std::vector<int64_t> spread_samples(int64_t count, int64_t total) {
  constexpr double kGoldenRatio = 0.6180339887498949;  // multiples of it lie evenly over [0, 1)
  const int64_t parts = std::min(count, total);
  std::vector<int64_t> samples;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = part * total / parts, end = (part + 1) * total / parts;
    const double turn = static_cast<double>(part) * kGoldenRatio;
    const double place = (turn - std::floor(turn)) * static_cast<double>(end - first);
    samples.push_back(first + static_cast<int64_t>(place));
  }
  return samples;
}

TeacherSample sample_teacher(const Session& session, Network& teacher) {
  const ImageSplit& test = session.data().test;
  const Experiment& experiment = session.experiment();
  const int64_t multiply_adds = std::max<int64_t>(teacher.profile().multiply_adds, 1);
  const std::vector<int64_t> samples = spread_samples(
      std::clamp(kMostMultiplyAdds / multiply_adds, kFewestSamples, kMostSamples), test.size());
  return {evaluate_samples(teacher, session.data(), session.eval_views(teacher.role()),
                           std::min(experiment.train.eval_batch_size, experiment.data.batch_size),
                           samples),
          at::index_select(test.labels, 0, at::tensor(samples))};
}

std::string describe_weak_teacher(const std::vector<ComparisonRow>& rows) {
  for (const ComparisonRow& alone : rows) {
    const ComparisonRow* teacher = find_row(rows, alone.teacher);
    if (!alone.alone.empty() || teacher == nullptr) continue;
    if (teacher->accuracy.correct >= alone.accuracy.correct) continue;
    return fmt::format(
        "the {} is worse than {}{}: {:.2f} % against {:.2f} %; train it longer, or take a better "
        "one",
        name_text(teacher->name), alone.name == kAloneRow ? "the " : "", alone.name,
        teacher->accuracy.top1(), alone.accuracy.top1());
  }
  return "";
}

}  // namespace retort::host
