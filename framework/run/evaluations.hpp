#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/run/networks.hpp"
#include "framework/run/result_table.hpp"
#include "framework/run/run_states.hpp"
#include "framework/run/teacher_origin.hpp"

namespace retort::host {

/// Evaluates the networks of a run's table in detail, on the test split.
class Evaluations {
 public:
  explicit Evaluations(const Session& session) : session_(session) {}

  /// Tells how good the teachers are before anything learns from them, and warns where one may be
  /// guessing; adds the rows of those that were not trained in this run. What it finds serves
  /// evaluate_all() too. Of a run whose state holds a teacher's row, which is told, it evaluates nothing.
  void judge_teachers(const Networks& networks, const TeacherOrigins& origins,
                      const ResumePoint& start, ResultTable& table);

  /// Evaluates each network of the table, the students against the predictions of their teachers. The
  /// students are read from the folder.
  void evaluate_all(const std::vector<PhaseSpec>& phases, const RunStates& states,
                    const Networks& networks, ResultTable& table);

 private:
  void judge_teacher(Network& teacher, const TeacherOrigin& origin, const ResumePoint& start,
                     size_t position, ResultTable& table);
  const Evaluation& evaluate_teacher(Network& teacher);
  Evaluation evaluate(Network& network, const Evaluation* teacher) const;
  void warn_of_guessing(const std::string& name, ResultTable& table) const;

  const Session& session_;
  std::map<std::string, Evaluation> teachers_;  // by name
};

}  // namespace retort::host
