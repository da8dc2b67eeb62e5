#pragma once

#include <optional>
#include <vector>

#include "framework/run/networks.hpp"
#include "framework/run/result_table.hpp"
#include "framework/run/teacher_origin.hpp"

namespace retort::host {

/// Evaluates the networks of a run's table in detail, on the test split.
class Evaluations {
 public:
  explicit Evaluations(const Session& session) : session_(session) {}

  /// Tells how good the teacher is before anything learns from it, and warns where it may be guessing;
  /// adds its row where it was not trained in this run. What it finds serves evaluate_all() too. Of a
  /// run whose state holds the teacher's row, which is told, it evaluates nothing.
  void judge_teacher(Network& teacher, const TeacherOrigin& origin, const ResumePoint& start,
                     ResultTable& table);

  /// Evaluates each network of the table, the students against the teacher's predictions. The student of
  /// `networks` is the result's; those of other phases are read from the folder.
  void evaluate_all(const std::vector<PhaseSpec>& phases, const RunStates& states,
                    const Networks& networks, ResultTable& table);

 private:
  Evaluation evaluate(Network& network, const ViewMaker& views, const Evaluation* teacher) const;
  void warn_of_guessing(const Evaluation& teacher, ResultTable& table) const;

  const Session& session_;
  std::optional<Evaluation> teacher_;
};

}  // namespace retort::host
