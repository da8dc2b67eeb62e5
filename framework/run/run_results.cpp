// The results of a run: rows of its table, evaluations, and what is written at its end.
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "framework/base/text.hpp"
#include "framework/guard/plugin_entry.hpp"
#include "framework/report/log.hpp"
#include "framework/report/phase_label.hpp"
#include "framework/report/print.hpp"
#include "framework/report/report_page.hpp"
#include "framework/run/run.hpp"
#include "framework/run/teacher_quality.hpp"
#include "framework/train/device.hpp"
#include "framework/train/finite.hpp"

namespace retort::host {
namespace {

NetworkSize size_of(Network& network) {
  return {network.profile().parameters, network.profile().multiply_adds};
}

}  // namespace

/// Evaluates the teacher before anything learns from it. The result serves the table at the end too.
/// A resumed run whose state holds the teacher's row tells that, and evaluates at the end.
void Run::judge_teacher(bool judged_before) {
  if (!judged_before) {
    teacher_evaluation_ =
        evaluate_in_detail(*networks_.teacher, session_.data(), session_.teacher_views(),
                           experiment_.train.eval_batch_size);
    const Accuracy accuracy = {teacher_evaluation_->top1_correct, teacher_evaluation_->samples};
    if (teacher_accuracy_ || experiment_.teacher->weights) {  // not trained in this run
      rows_.insert(rows_.begin(), {kTeacherRow, accuracy, {}, {}, {}, 0});
      rows_.front().size = size_of(*networks_.teacher);
    }
    if (teacher_accuracy_ && teacher_accuracy_->correct != accuracy.correct) {
      warn(fmt::format(
          "{}: says that {} test images are right, but it gives {} here; remove the file to have "
          "the teacher trained again",
          store_->file().string(), grouped(teacher_accuracy_->correct), grouped(accuracy.correct)));
    }
  }
  const Accuracy& accuracy = rows_.front().accuracy;
  say(fmt::format("teacher   {} of {} test images right, top-1 {:.2f} %", grouped(accuracy.correct),
                  grouped(accuracy.total), accuracy.top1()));
  if (judged_before) return;
  const ImageSplit& test = session_.data().test;
  warn(describe_guessing(*teacher_evaluation_, test.labels, test.size()));
}

/// Tells a warning once, and keeps it for run.json.
void Run::warn(const std::string& text) {
  if (text.empty() || std::find(warnings_.begin(), warnings_.end(), text) != warnings_.end())
    return;
  warnings_.push_back(text);
  spdlog::warn("{}", text);
}

/// Each network of the table in detail, the students against the teacher's predictions.
void Run::evaluate_all() {
  const Evaluation* teacher = nullptr;
  for (ComparisonRow& row : rows_) {
    const bool is_teacher = row.name == kTeacherRow;
    std::unique_ptr<Network> alone;
    for (const PhaseSpec& spec : phases_) {
      if (!spec.is_baseline || spec.row != row.name) continue;
      alone = session_.make_student();
      load_saved(spec.name, *alone);
    }
    Network& network = is_teacher ? *networks_.teacher : alone ? *alone : *networks_.student;
    row.size = size_of(network);
    const ViewMaker& views = is_teacher ? session_.teacher_views() : session_.student_views();
    row.evaluation = is_teacher && teacher_evaluation_
                         ? *teacher_evaluation_
                         : evaluate_in_detail(network, session_.data(), views,
                                              experiment_.train.eval_batch_size, teacher);
    if (!is_teacher) continue;
    teacher = &*row.evaluation;
    const ImageSplit& test = session_.data().test;
    warn(describe_guessing(*teacher, test.labels, test.size()));
  }
  warn(describe_weak_teacher(rows_));
}

void Run::add_row(const PhaseSpec& spec, Network& network, const TrainingState& state) {
  ComparisonRow row = {spec.row, state.last, {}, state.train_seconds, {}, 0};
  if (state.best_epoch > 0) {  // none where each epoch had outputs that are not finite
    row.best = state.best_test;
    row.best_epoch = state.best_epoch;
  }
  row.size = size_of(network);
  const auto alone = std::find_if(rows_.begin(), rows_.end(), [](const ComparisonRow& earlier) {
    return earlier.name == kAloneRow;
  });
  if (spec.transfers && alone != rows_.end()) {
    row.versus_alone = row.accuracy.top1() - alone->accuracy.top1();
  }
  rows_.push_back(row);
}

RunFacts Run::facts(const std::string& status) const {
  return {device_name(session_.placement().device),
          session_.threads(),
          status,
          session_.data().class_names,
          folder_->started_in(),
          warnings_};
}

void Run::finish(Output output) {
  set_activity("the last evaluation");
  evaluate_all();
  compare_process_state();
  save_network(folder_->layout().result_weights(), networks_.student->parameters(),
               {{"format", "pt"}, {"model", networks_.student->description()}});
  const RunFacts done = facts("finished");
  folder_->write_results(experiment_, done, rows_);
  write_report(folder_->path());
  states_->clear();  // only now: until then the run can be resumed
  if (output == Output::None) return;
  if (output == Output::Json) {
    print_out("{}\n", results_json(experiment_, done, rows_));
  } else {
    print_out("{}wrote {}: {}, {}, {}\n", comparison_text(rows_), folder_->path().string(),
              RunLayout::kPage, RunLayout::kResultWeights, RunLayout::kMetrics);
  }
}

}  // namespace retort::host
