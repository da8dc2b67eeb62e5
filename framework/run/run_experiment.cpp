#include "framework/run/run_experiment.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "framework/data/atomic_file.hpp"
#include "framework/report/comparison.hpp"
#include "framework/report/number_text.hpp"
#include "framework/report/progress.hpp"
#include "framework/report/run_folder.hpp"
#include "framework/run/session.hpp"
#include "framework/run/teacher_store.hpp"
#include "framework/train/device.hpp"
#include "framework/train/interrupt.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

/// One run: its parts in the order in which a user sees them happen.
class Run {
 public:
  explicit Run(const Experiment& experiment) : experiment_(experiment), session_(experiment) {}

  ExitCode go(bool json) {
    print_header();
    prepare_teacher();
    student_ = session_.make_student();
    print_network(
        "student", *student_,
        experiment_.student.weights ? "from " + experiment_.student.weights->string() : "");
    if (teacher_) check_transfers();
    folder_ = std::make_unique<RunFolder>(experiment_);
    const bool finished = train_teacher() && train_alone() && train_distilled();
    finish(finished, json);
    if (finished) return ExitCode::Ok;
    return pending_signal() == SIGTERM ? ExitCode::Terminated : ExitCode::Interrupted;
  }

 private:
  void print_header() const;
  void print_network(const char* role, Network& network, const std::string& origin) const;
  void prepare_teacher();
  void check_transfers();
  bool train_teacher();
  bool train_alone();
  bool train_distilled();
  bool train(Trainer& trainer, const TrainingPlan& plan, const std::string& row_name);
  void save_checkpoint(const std::string& name, const TrainingPlan& plan, Trainer& trainer,
                       const EpochReport& report) const;
  void finish(bool finished, bool json);
  void write_run_json(bool finished) const;

  const Experiment& experiment_;
  Session session_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<Network> teacher_, student_;
  std::unique_ptr<TeacherStore> store_;
  std::optional<Accuracy> teacher_accuracy_;
  bool teacher_needs_training_ = false;
  std::optional<double> teacher_seconds_;
  std::vector<ComparisonRow> rows_;
  ProgressLine progress_;
};

void Run::print_header() const {
  const ImageData& data = session_.data();
  fmt::print(stderr, "retort 0.1.0   LibTorch {}   {}   seed {}\n", RETORT_TORCH_VERSION,
             device_text(session_.placement().device, session_.threads()), experiment_.seed);
  fmt::print(stderr, "data      {}   {} train, {} test, {} x {} x {}, {} classes\n", data.id,
             grouped(data.train.size()), grouped(data.test.size()), data.channels, data.height,
             data.width, data.class_count);
}

void Run::print_network(const char* role, Network& network, const std::string& origin) const {
  const NetworkProfile& profile = network.profile();
  fmt::print(stderr, "{:9} {:24} {:>10} parameters   {:>6.1f} M multiply-adds   {}\n", role,
             network.description(), grouped(profile.parameters),
             static_cast<double>(profile.multiply_adds) / 1e6, origin);
}

void Run::prepare_teacher() {
  if (!experiment_.teacher) return;
  teacher_ = session_.make_teacher();
  std::string origin = "to be trained";
  if (experiment_.teacher->weights) {
    origin = "from " + experiment_.teacher->weights->string();
  } else {
    store_ = std::make_unique<TeacherStore>(session_);
    teacher_accuracy_ = store_->load(*teacher_);
    teacher_needs_training_ = !teacher_accuracy_;
    if (teacher_accuracy_) origin = "kept from an earlier run (" + store_->file().string() + ")";
  }
  print_network("teacher", *teacher_, origin);
}

void Run::check_transfers() {
  // Taps and set-up are checked before the teacher's training, not after it.
  const auto transfers = session_.make_transfers();
  const Trainer check(session_.distil_plan(*student_, *teacher_, transfers));
}

bool Run::train_teacher() {
  if (!teacher_) return true;
  if (teacher_needs_training_) {
    const TrainingPlan plan = session_.plan("teacher", *teacher_);
    Trainer trainer(plan);
    if (!train(trainer, plan, "teacher")) return false;
    teacher_accuracy_ = rows_.back().accuracy;
    store_->save(*teacher_, *teacher_accuracy_);
  }
  teacher_->parameters().freeze();
  if (!teacher_accuracy_) {
    teacher_accuracy_ = evaluate(*teacher_, session_.data(), session_.teacher_views(),
                                 experiment_.teacher->train.eval_batch_size);
  }
  if (!teacher_needs_training_) rows_.push_back({"teacher", *teacher_accuracy_, {}, {}});
  return true;
}

bool Run::train_alone() {
  if (teacher_ && !experiment_.student_alone) return true;
  const auto student = session_.make_student();
  const TrainingPlan plan = session_.plan("alone", *student);
  Trainer trainer(plan);
  return train(trainer, plan, "student alone");
}

bool Run::train_distilled() {
  if (!teacher_ || experiment_.transfers.empty()) return true;
  const auto transfers = session_.make_transfers();
  student_ = session_.make_student();
  const TrainingPlan plan = session_.distil_plan(*student_, *teacher_, transfers);
  Trainer trainer(plan);
  std::string names;
  for (const auto& transfer : transfers)
    names += (names.empty() ? "" : " + ") + transfer->config().name;
  return train(trainer, plan, "student, " + names);
}

bool Run::train(Trainer& trainer, const TrainingPlan& plan, const std::string& row_name) {
  ComparisonRow row = {row_name, {}, {}, 0.0};
  trainer.on_progress = [&](const Progress& progress) { progress_.step(progress); };
  trainer.on_epoch = [&](const EpochReport& report) {
    progress_.epoch(plan.phase, plan.train.epochs, report);
    folder_->append_metrics(plan.phase, report);
    row.accuracy = report.accuracy;
    *row.train_seconds += report.train_seconds;
    save_checkpoint("last", plan, trainer, report);
    if (report.best) save_checkpoint("best", plan, trainer, report);
  };
  if (!trainer.run()) return false;
  const auto alone = std::find_if(rows_.begin(), rows_.end(), [](const ComparisonRow& earlier) {
    return earlier.name == "student alone";
  });
  if (plan.phase == "distil" && alone != rows_.end())
    row.versus_alone = row.accuracy.top1() - alone->accuracy.top1();
  rows_.push_back(row);
  return true;
}

void Run::save_checkpoint(const std::string& name, const TrainingPlan& plan, Trainer& trainer,
                          const EpochReport& report) const {
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
               {{"phase", plan.phase},
                {"epoch", std::to_string(report.epoch)},
                {"step", std::to_string(trainer.steps_done())},
                {"test_correct", std::to_string(report.accuracy.correct)},
                {"test_total", std::to_string(report.accuracy.total)}});
}

void Run::write_run_json(bool finished) const {
  nlohmann::ordered_json run;
  run["retort"] = "0.1.0";
  run["libtorch"] = RETORT_TORCH_VERSION;
  run["device"] = session_.placement().device.str();
  run["threads"] = session_.threads();
  run["seed"] = experiment_.seed;
  run["status"] = finished ? "finished" : "stopped by a signal";
  for (const ComparisonRow& row : rows_) {
    nlohmann::ordered_json entry = {{"name", row.name},
                                    {"test_correct", row.accuracy.correct},
                                    {"test_total", row.accuracy.total},
                                    {"top1", row.accuracy.top1()}};
    if (row.versus_alone) entry["versus_alone"] = *row.versus_alone;
    if (row.train_seconds) entry["train_seconds"] = *row.train_seconds;
    run["results"].push_back(entry);
  }
  atomic_write(folder_->file("run.json"), run.dump(2) + "\n");
}

void Run::finish(bool finished, bool json) {
  write_run_json(finished);
  atomic_write(folder_->file("summary.csv"), comparison_csv(rows_));
  if (!finished) {
    fmt::print(stderr, "stopped by a signal; {} holds the epochs that were finished\n",
               folder_->path().string());
    return;
  }
  save_tensors(folder_->file("student.safetensors"), named_weights(student_->parameters()),
               {{"format", "pt"}, {"model", student_->description()}});
  if (json) {
    nlohmann::ordered_json table = nlohmann::ordered_json::parse(R"([])");
    for (const ComparisonRow& row : rows_) {
      table.push_back({{"name", row.name}, {"top1", row.accuracy.top1()}});
    }
    fmt::print("{}\n", table.dump());
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
