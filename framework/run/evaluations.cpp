#include "framework/run/evaluations.hpp"

#include <spdlog/fmt/fmt.h>

#include "framework/base/text.hpp"
#include "framework/report/log.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/run/teacher_quality.hpp"

namespace retort::host {
namespace {

/// Makes the student of a phase before the last as it was at its end; null for the row of another
/// network.
std::unique_ptr<Network> restore_baseline(const Session& session,
                                          const std::vector<PhaseSpec>& phases,
                                          const RunStates& states, const std::string& row) {
  for (const PhaseSpec& spec : phases) {
    if (!spec.is_baseline || spec.row != row) continue;
    auto student = session.make_student();
    states.load_weights(spec.name, *student);
    return student;
  }
  return nullptr;
}

void say_accuracy(const Accuracy& accuracy) {
  say(fmt::format("teacher   {} of {} test images right, top-1 {:.2f} %", grouped(accuracy.correct),
                  grouped(accuracy.total), accuracy.top1()));
}

}  // namespace

Evaluation Evaluations::evaluate(Network& network, const ViewMaker& views,
                                 const Evaluation* teacher) const {
  return evaluate_in_detail(network, session_.data(), views,
                            session_.experiment().train.eval_batch_size, teacher);
}

void Evaluations::warn_of_guessing(const Evaluation& teacher, ResultTable& table) const {
  const ImageSplit& test = session_.data().test;
  table.warn(describe_guessing(teacher, test.labels, test.size()));
}

void Evaluations::judge_teacher(Network& teacher, const TeacherOrigin& origin,
                                const ResumePoint& start, ResultTable& table) {
  if (const auto rows = start.rows(); const ComparisonRow* before = find_row(rows, kTeacherRow)) {
    return say_accuracy(before->accuracy);
  }
  teacher_ = evaluate(teacher, session_.teacher_views(), nullptr);
  const Accuracy accuracy = {teacher_->top1_correct, teacher_->samples};
  if (origin.kind != TeacherOrigin::Kind::ToTrain) table.add_teacher(teacher, accuracy);
  if (origin.told && origin.told->correct != accuracy.correct) {
    table.warn(fmt::format(
        "{}: says that {} test images are right, but it gives {} here; remove the file to have "
        "the teacher trained again",
        origin.store->file().string(), grouped(origin.told->correct), grouped(accuracy.correct)));
  }
  say_accuracy(table.rows.front().accuracy);
  warn_of_guessing(*teacher_, table);
}

void Evaluations::evaluate_all(const std::vector<PhaseSpec>& phases, const RunStates& states,
                               const Networks& networks, ResultTable& table) {
  const Evaluation* teacher = nullptr;
  for (ComparisonRow& row : table.rows) {
    if (row.name == kTeacherRow) {
      row.size = measure_size(*networks.teacher);
      if (!teacher_) teacher_ = evaluate(*networks.teacher, session_.teacher_views(), nullptr);
      row.evaluation = teacher_;
      teacher = &*row.evaluation;
      warn_of_guessing(*teacher, table);
      continue;
    }
    const auto baseline = restore_baseline(session_, phases, states, row.name);
    Network& student = baseline ? *baseline : *networks.student;
    row.size = measure_size(student);
    row.evaluation = evaluate(student, session_.student_views(), teacher);
  }
  table.warn(describe_weak_teacher(table.rows));
}

}  // namespace retort::host
