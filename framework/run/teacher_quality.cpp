#include "framework/run/teacher_quality.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "framework/text.hpp"
#include "framework/train/chance.hpp"

namespace retort::host {
namespace {

const ComparisonRow* find_row(const std::vector<ComparisonRow>& rows, const char* name) {
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const ComparisonRow& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

std::string describe_guessing(const Evaluation& teacher, const at::Tensor& labels) {
  if (!may_be_guessing(teacher, labels)) return "";
  return fmt::format(
      "the teacher may be guessing: {} of {} test images right, {:.2f} %, is not clearly above "
      "chance "
      "with {} classes; check its weights, its normalize and the order of its classes",
      grouped(teacher.top1_correct), grouped(teacher.samples),
      100 * static_cast<double>(teacher.top1_correct) / static_cast<double>(teacher.samples),
      grouped(teacher.class_count));
}

std::string describe_weak_teacher(const std::vector<ComparisonRow>& rows) {
  const ComparisonRow* teacher = find_row(rows, "teacher");
  const ComparisonRow* alone = find_row(rows, "student alone");
  if (teacher == nullptr || alone == nullptr) return "";
  if (teacher->accuracy.correct >= alone->accuracy.correct) return "";
  return fmt::format(
      "the teacher is worse than the student alone: {:.2f} % against {:.2f} %; train it longer, or "
      "take a better one",
      teacher->accuracy.top1(), alone->accuracy.top1());
}

}  // namespace retort::host
