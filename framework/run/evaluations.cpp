#include "framework/run/evaluations.hpp"

#include <spdlog/fmt/fmt.h>

#include <stdexcept>

#include "framework/base/text.hpp"
#include "framework/report/log.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/run/teacher_quality.hpp"

namespace retort::host {
namespace {

/// Makes the network of a row as it was at its phase's end.
std::unique_ptr<Network> restore_student(const Session& session,
                                         const std::vector<PhaseSpec>& phases,
                                         const RunStates& states, const std::string& row) {
  for (const PhaseSpec& spec : phases) {
    for (const LearnerSpec& learner : spec.learners) {
      if (learner.row != row) continue;
      auto student = session.make_network(learner.name);
      states.load_weights(spec, *student);
      return student;
    }
  }
  throw std::logic_error("no phase has the row " + row);
}

void say_accuracy(const std::string& teacher, const Accuracy& accuracy) {
  say(fmt::format("{:9} {} of {} test images right, top-1 {:.2f} %", teacher,
                  grouped(accuracy.correct), grouped(accuracy.total), accuracy.top1()));
}

}  // namespace

Evaluation Evaluations::evaluate(Network& network, const Evaluation* teacher) const {
  return evaluate_in_detail(network, session_.data(), session_.eval_views(network.role()),
                            session_.experiment().train.eval_batch_size, teacher);
}

const Evaluation& Evaluations::evaluate_teacher(Network& teacher) {
  const auto known = teachers_.find(teacher.role());
  if (known != teachers_.end()) return known->second;
  return teachers_.emplace(teacher.role(), evaluate(teacher, nullptr)).first->second;
}

void Evaluations::warn_of_guessing(const std::string& name, ResultTable& table) const {
  const ImageSplit& test = session_.data().test;
  table.warn(describe_guessing(name, teachers_.at(name), test.labels, test.size()));
}

void Evaluations::judge_teacher(Network& teacher, const TeacherOrigin& origin,
                                const ResumePoint& start, size_t position, ResultTable& table) {
  const std::string& name = teacher.role();
  if (const auto rows = start.rows(); const ComparisonRow* before = find_row(rows, name)) {
    return say_accuracy(name, before->accuracy);
  }
  const Evaluation& evaluation = evaluate_teacher(teacher);
  const Accuracy accuracy = {evaluation.top1_correct, evaluation.samples};
  if (origin.kind != TeacherOrigin::Kind::ToTrain) table.add_teacher(teacher, accuracy, position);
  if (origin.told && origin.told->correct != accuracy.correct) {
    table.warn(fmt::format(
        "{}: says that {} test images are right, but it gives {} here; remove the file to have "
        "the teacher trained again",
        origin.store->file().string(), grouped(origin.told->correct), grouped(accuracy.correct)));
  }
  say_accuracy(name, find_row(table.rows, name)->accuracy);
  warn_of_guessing(name, table);
}

void Evaluations::judge_teachers(const Networks& networks, const TeacherOrigins& origins,
                                 const ResumePoint& start, ResultTable& table) {
  size_t position = 0;
  for (const NetworkConfig& teacher : session_.experiment().teachers)
    judge_teacher(networks.at(teacher.name), origins.at(teacher.name), start, position++, table);
}

void Evaluations::evaluate_all(const std::vector<PhaseSpec>& phases, const RunStates& states,
                               const Networks& networks, ResultTable& table) {
  for (ComparisonRow& row : table.rows) {
    if (row.teacher.empty()) {
      Network& teacher = networks.at(row.name);
      row.size = measure_size(teacher);
      row.evaluation = evaluate_teacher(teacher);
      warn_of_guessing(row.name, table);
      continue;
    }
    const auto student = restore_student(session_, phases, states, row.name);
    const auto teacher = teachers_.find(row.teacher);
    row.size = measure_size(*student);
    row.evaluation = evaluate(*student, teacher == teachers_.end() ? nullptr : &teacher->second);
  }
  table.warn(describe_weak_teacher(table.rows));
}

}  // namespace retort::host
