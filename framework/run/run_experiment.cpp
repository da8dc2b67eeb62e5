#include "framework/run/run_experiment.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "framework/report/comparison.hpp"
#include "framework/report/progress.hpp"
#include "framework/report/run_folder.hpp"
#include "framework/run/session.hpp"
#include "framework/run/teacher_store.hpp"
#include "framework/text.hpp"
#include "framework/train/device.hpp"
#include "framework/train/interrupt.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

constexpr const char* kAlone = "student alone";

/// One run: its parts in the order in which a user sees them happen.
class Run {
 public:
  explicit Run(const Experiment& experiment) : experiment_(experiment), session_(experiment) {}

  ExitCode go(bool json) {
    print_header();
    prepare_networks();
    folder_ = std::make_unique<RunFolder>(experiment_);
    const bool finished = train_teacher() && train_alone() && train_distilled();
    if (finished) evaluate_given_teacher();
    finish(finished, json);
    if (finished) return ExitCode::Ok;
    return pending_signal() == SIGTERM ? ExitCode::Terminated : ExitCode::Interrupted;
  }

 private:
  bool distils() const { return !experiment_.transfers.empty(); }
  void print_header() const;
  void print_network(Network& network, const std::string& origin) const;
  void prepare_networks();
  std::string prepare_teacher();
  bool train_teacher();
  void evaluate_given_teacher();
  bool train_alone();
  bool train_distilled();
  bool train(const TrainingPlan& plan, const std::string& row_name);
  void save_checkpoint(const std::string& name, const TrainingPlan& plan, Trainer& trainer) const;
  void finish(bool finished, bool json);

  const Experiment& experiment_;
  Session session_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<Network> teacher_, student_;
  std::unique_ptr<TeacherStore> store_;
  std::optional<Accuracy> teacher_accuracy_;
  std::vector<ComparisonRow> rows_;
  ProgressLine progress_;
};

void Run::print_header() const {
  const ImageData& data = session_.data();
  fmt::print(stderr, "retort {}   LibTorch {}   {}   seed {}\n", RETORT_VERSION,
             RETORT_TORCH_VERSION, device_text(session_.placement().device, session_.threads()),
             experiment_.seed);
  fmt::print(stderr, "data      {}   {} train, {} test, {} x {} x {}, {} classes\n", data.id,
             grouped(data.train.size()), grouped(data.test.size()), data.channels, data.height,
             data.width, data.class_count);
}

void Run::print_network(Network& network, const std::string& origin) const {
  const NetworkProfile& profile = network.profile();
  std::string line = fmt::format("{:9} {:26} {:>9} parameters   {:>6.1f} M multiply-adds   {}",
                                 network.role(), network.description(), grouped(profile.parameters),
                                 static_cast<double>(profile.multiply_adds) / 1e6, origin);
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print(stderr, "{}\n", line);
}

void Run::prepare_networks() {
  if (experiment_.teacher) {
    teacher_ = session_.make_teacher();
    print_network(*teacher_, prepare_teacher());
  }
  student_ = session_.make_student();
  print_network(*student_,
                experiment_.student.weights ? "from " + experiment_.student.weights->string() : "");
  if (!distils()) return;
  // Taps and set-up are checked before hours of teacher training, not after them.
  const auto transfers = session_.make_transfers();
  const Trainer check(session_.distil_plan(*student_, teacher_.get(), transfers));
}

/// Finds the teacher's weights, and returns where they come from.
std::string Run::prepare_teacher() {
  if (experiment_.teacher->weights) return "from " + experiment_.teacher->weights->string();
  store_ = std::make_unique<TeacherStore>(session_);
  teacher_accuracy_ = store_->load(*teacher_);
  return teacher_accuracy_ ? "kept from an earlier run (" + store_->file().string() + ")"
                           : "to be trained";
}

bool Run::train_teacher() {
  if (!teacher_) return true;
  if (store_ && !teacher_accuracy_) {
    if (!train(session_.plan("teacher", *teacher_), "teacher")) return false;
    store_->save(*teacher_, rows_.back().accuracy);
    teacher_->parameters().freeze();
    return true;
  }
  teacher_->parameters().freeze();
  if (teacher_accuracy_) rows_.push_back({"teacher", *teacher_accuracy_, {}, {}});
  return true;
}

/// A teacher from a file is evaluated at the end, so that training starts at once.
void Run::evaluate_given_teacher() {
  if (!teacher_ || !experiment_.teacher->weights) return;
  const Accuracy accuracy = evaluate(*teacher_, session_.data(), session_.teacher_views(),
                                     experiment_.teacher->train.eval_batch_size);
  rows_.insert(rows_.begin(), {"teacher", accuracy, {}, {}});
}

bool Run::train_alone() {
  if (distils() && !experiment_.student_alone) return true;
  auto alone = session_.make_student();
  const bool finished = train(session_.plan("alone", *alone), kAlone);
  if (!distils()) student_ = std::move(alone);
  return finished;
}

bool Run::train_distilled() {
  if (!distils()) return true;
  const auto transfers = session_.make_transfers();
  student_ = session_.make_student();
  std::string name = "student";
  for (const auto& transfer : transfers) {
    name += (transfer == transfers.front() ? ", " : " + ") + transfer->config().name;
  }
  return train(session_.distil_plan(*student_, teacher_.get(), transfers), name);
}

bool Run::train(const TrainingPlan& plan, const std::string& row_name) {
  ComparisonRow row = {row_name, {}, {}, 0.0};
  Trainer trainer(plan);
  trainer.on_progress = [&](const Progress& progress) { progress_.step(progress); };
  trainer.on_epoch = [&](const EpochReport& report) {
    progress_.epoch(plan.phase, plan.train.epochs, report);
    folder_->append_metrics(plan.phase, report);
    row.accuracy = report.accuracy;
    *row.train_seconds += report.train_seconds;
    save_checkpoint("last", plan, trainer);
    if (report.best) save_checkpoint("best", plan, trainer);
  };
  if (!trainer.run()) {
    save_checkpoint("last", plan, trainer);
    return false;
  }
  const auto alone = std::find_if(rows_.begin(), rows_.end(), [](const ComparisonRow& earlier) {
    return earlier.name == kAlone;
  });
  if (!plan.transfers.empty() && alone != rows_.end()) {
    row.versus_alone = row.accuracy.top1() - alone->accuracy.top1();
  }
  rows_.push_back(row);
  return true;
}

void Run::save_checkpoint(const std::string& name, const TrainingPlan& plan,
                          Trainer& trainer) const {
  std::vector<NamedTensor> tensors;
  const auto add = [&](const std::string& prefix, const std::vector<NamedTensor>& list) {
    for (const auto& [key, tensor] : list) tensors.emplace_back(prefix + key, tensor);
  };
  add("network/", named_weights(plan.student->parameters()));
  for (Transfer* transfer : plan.transfers) {
    add("transfer/" + transfer->config().name + "/", named_weights(transfer->parameters()));
  }
  add("optimizer/", trainer.optimizer().state());
  save_tensors(folder_->file("checkpoints/" + plan.phase + "-" + name + ".safetensors"), tensors,
               {{"phase", plan.phase}, {"step", std::to_string(trainer.steps_done())}});
}

void Run::finish(bool finished, bool json) {
  const RunFacts facts = {session_.placement().device.str(), session_.threads(), finished};
  folder_->write_results(experiment_, facts, rows_);
  if (!finished) {
    fmt::print(stderr, "stopped by a signal; {} holds what was finished\n",
               folder_->path().string());
    return;
  }
  save_tensors(folder_->file("student.safetensors"), named_weights(student_->parameters()),
               {{"format", "pt"}, {"model", student_->description()}});
  if (json) {
    fmt::print("{}\n", results_json(experiment_, facts, rows_));
  } else {
    fmt::print("{}wrote {}: student.safetensors, metrics.jsonl, summary.csv\n",
               comparison_text(rows_), folder_->path().string());
  }
}

}  // namespace

ExitCode run_experiment(const Experiment& experiment, bool json) {
  return Run(experiment).go(json);
}

}  // namespace retort::host
