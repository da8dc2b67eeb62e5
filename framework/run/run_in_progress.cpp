#include "framework/run/run_in_progress.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <csignal>

#include "framework/base/failure.hpp"
#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/guard/plugin_entry.hpp"
#include "framework/report/log.hpp"
#include "framework/report/print.hpp"
#include "framework/report/report_page.hpp"
#include "framework/run/determinism.hpp"
#include "framework/run/phase_trial.hpp"
#include "framework/run/result_files.hpp"
#include "framework/train/device.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/interrupt.hpp"

namespace retort::host {
namespace {

void say_header(const Session& session) {
  say(fmt::format("retort {}   LibTorch {}   {}   seed {}", RETORT_VERSION, RETORT_TORCH_VERSION,
                  device_text(session.placement().device, session.threads()),
                  session.experiment().seed));
  say("data      " + description(session.data()));
}

void say_network(Network& network, const std::string& origin) {
  const NetworkProfile& profile = network.profile();
  std::string line = fmt::format("{:9} {:26} {:>9} parameters   {:>6.1f} M multiply-adds   {}",
                                 network.role(), network.description(), grouped(profile.parameters),
                                 static_cast<double>(profile.multiply_adds) / 1e6, origin);
  line.erase(line.find_last_not_of(' ') + 1);
  say(line);
}

/// What a student starts from, where that is no draw of the seed's.
std::string describe_start(const NetworkConfig& config) {
  if (config.weights) return "from " + config.weights->string();
  if (config.program.file.empty() || config.program.start == ProgramStart::New) return "";
  return "starts as its file does, whatever the seed";
}

/// "student.safetensors", or the files of all students.
std::string results_text(const Experiment& experiment) {
  std::vector<std::string> files;
  for (const ResultFile& result : list_result_files(experiment, RunLayout("")))
    files.push_back(result.file.string());
  return join(files);
}

}  // namespace

ExitCode RunInProgress::go(Output output) {
  say_header(session_);
  prepare_networks();
  open_folder();
  try {
    size_t done = 0;
    while (done < phases_.size() && run_phase(done)) ++done;
    if (done == phases_.size()) {
      finish(output);
      return ExitCode::Ok;
    }
  } catch (...) {
    mark_failed(current_failure().text);
    throw;
  }
  return stop();
}

void RunInProgress::resume(const std::filesystem::path& folder, Changes changes) {
  folder_ = std::make_unique<RunFolder>(folder);
  states_.emplace(folder_->layout(), session_);
  start_ = find_resume_point(experiment_, *folder_, *states_, phases_, changes);
  table_.rows = start_.rows();
}

/// Options of models, weights, taps and set-up are checked before hours of teacher training, not after
/// them.
void RunInProgress::prepare_networks() {
  networks_ = make_networks(session_);
  for (const NetworkConfig& config : experiment_.teachers) {
    Network& teacher = networks_.at(config.name);
    origins_[config.name] =
        find_teacher(session_, phases_, start_, states_ ? &*states_ : nullptr, teacher);
    say_network(teacher, origins_[config.name].text);
  }
  for (const NetworkConfig& config : experiment_.students) {
    say_network(networks_.at(config.name), describe_start(config));
  }
  check_determinism(session_);
  try_phases();
}

/// Tries what is to be trained: teachers, and the main phases.
void RunInProgress::try_phases() {
  for (size_t i = 0; i < phases_.size(); ++i) {
    const PhaseSpec& spec = phases_[i];
    const bool is_tried = spec.kind == PhaseKind::Teacher
                              ? origins_.at(spec.name).kind == TeacherOrigin::Kind::ToTrain
                              : spec.kind == PhaseKind::Main;
    if (!is_tried) continue;
    for (const std::string& warning : try_phase(session_, phases_, i, networks_))
      spdlog::warn("{}", warning);
  }
  networks_.transfers.clear();
}

void RunInProgress::open_folder() {
  if (!folder_) {
    folder_ = std::make_unique<RunFolder>(experiment_);
    states_.emplace(folder_->layout(), session_);
  }
  if (experiment_.run.tensorboard) events_.emplace(folder_->path());
  folder_->write_status(experiment_, facts("running"));
}

RunFacts RunInProgress::facts(const std::string& status) const {
  return {device_name(session_.placement().device),
          session_.threads(),
          status,
          session_.data().class_names,
          folder_->started_in(),
          table_.warnings};
}

void RunInProgress::finish(Output output) {
  networks_.transfers.clear();
  set_activity("the last evaluation");
  evaluations_.evaluate_all(phases_, *states_, networks_, table_);
  compare_process_state();
  save_results();
  const RunFacts done = facts("finished");
  folder_->write_results(experiment_, done, table_.rows);
  write_report(folder_->path());
  states_->clear();  // only now: until then the run can be resumed
  if (output == Output::None) return;
  if (output == Output::Json) {
    print_out("{}\n", results_json(experiment_, done, table_.rows));
  } else {
    print_out("{}wrote {}: {}, {}, {}\n", comparison_text(table_.rows), folder_->path().string(),
              RunLayout::kPage, results_text(experiment_), RunLayout::kMetrics);
  }
}

/// Writes each student as the last phase that trained it left it.
void RunInProgress::save_results() const {
  for (const ResultFile& result : list_result_files(experiment_, folder_->layout())) {
    const auto student = session_.make_network(result.student);
    states_->load_weights(phases_[find_result(phases_, result.student)], *student);
    save_network(result.file, student->parameters(),
                 {{"format", "pt"}, {"model", student->description()}});
  }
}

/// Ends a run that a signal stopped.
ExitCode RunInProgress::stop() {
  folder_->write_results(experiment_, facts("stopped by a signal"), table_.rows);
  write_report(folder_->path());
  say(fmt::format("stopped by a signal; go on with: retort run --resume {}",
                  folder_->path().string()));
  return pending_signal() == SIGTERM ? ExitCode::Terminated : ExitCode::Interrupted;
}

/// Writes the status of a run that failed. A disk that is full, say, must not hide why.
void RunInProgress::mark_failed(const std::string& reason) {
  try {
    folder_->write_status(experiment_, facts("failed: " + reason));
  } catch (...) {
    spdlog::warn("{}: still says that it runs: {}", folder_->layout().results().string(),
                 current_failure().text);
  }
}

}  // namespace retort::host
