#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>

#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/run/machine.hpp"
#include "framework/run/session.hpp"
#include "framework/run/teacher_store.hpp"
#include "framework/train/device.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

constexpr std::array<const char*, kStepParts> kPartNames = {"data", "teacher",  "forward",
                                                            "loss", "backward", "optimizer"};

struct Measured {
  std::string phase;
  double images_per_second = 0;
  double peak_share = 0;  // of the device's float32 matrix product
  StepTimes share{};
};

/// Multiply-adds of one image in one step: backward costs twice the forward pass.
double step_multiply_adds(const TrainingPlan& plan) {
  double total = 3.0 * static_cast<double>(plan.student->profile().multiply_adds);
  if (plan.teacher != nullptr) total += static_cast<double>(plan.teacher->profile().multiply_adds);
  return total;
}

Measured measure(TrainingPlan plan, int64_t warmup, int64_t steps, double peak) {
  plan.measure = true;
  plan.train.epochs = std::max<int64_t>(plan.train.epochs, 1);
  Trainer trainer(plan);
  trainer.run_steps(warmup);
  const StepTimes before = trainer.times();
  const auto start = std::chrono::steady_clock::now();
  const int64_t first = trainer.steps_done();
  trainer.run_steps(steps);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  Measured measured;
  measured.phase = plan.phase;
  const auto images = static_cast<double>((trainer.steps_done() - first) * plan.batch_size);
  measured.images_per_second = images / seconds.count();
  measured.peak_share = measured.images_per_second * step_multiply_adds(plan) / peak;
  StepTimes spent{};
  for (size_t i = 0; i < kStepParts; ++i) spent[i] = trainer.times()[i] - before[i];
  const double sum = std::accumulate(spent.begin(), spent.end(), 0.0);
  for (size_t i = 0; i < kStepParts; ++i) measured.share[i] = spent[i] / sum;
  return measured;
}

/// The teacher for measuring: its weights, the kept one, or start values, which cost the same.
std::unique_ptr<Network> teacher_of(const Session& session) {
  auto teacher = session.make_teacher();
  if (!session.experiment().teacher->weights) TeacherStore(session).load(*teacher);
  return teacher;
}

void export_start(const Session& session, Network& teacher, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  save_tensors(folder / "teacher.safetensors", named_weights(teacher.parameters()),
               {{"format", "pt"}});
  save_tensors(folder / "student_start.safetensors",
               named_weights(session.make_student()->parameters()), {{"format", "pt"}});
}

void print(const std::vector<Measured>& rows, bool json) {
  if (json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Measured& row : rows) {
      nlohmann::ordered_json entry = {{"phase", row.phase},
                                      {"images_per_s", row.images_per_second},
                                      {"share_of_peak", row.peak_share},
                                      {"peak_rss_mib", peak_memory_mib()}};
      for (size_t i = 0; i < kStepParts; ++i) entry["share"][kPartNames[i]] = row.share[i];
      list.push_back(entry);
    }
    fmt::print("{}\n", list.dump(2));
    return;
  }
  fmt::print("{:8}  {:>9}  {:>7}", "phase", "images/s", "of peak");
  for (const char* name : kPartNames) fmt::print("  {:>9}", name);
  fmt::print("\n");
  for (const Measured& row : rows) {
    fmt::print("{:8}  {:9.0f}  {:5.0f} %", row.phase, row.images_per_second, 100 * row.peak_share);
    for (const double share : row.share) fmt::print("  {:7.1f} %", 100 * share);
    fmt::print("\n");
  }
  fmt::print("peak memory {:.0f} MiB\n", peak_memory_mib());
}

}  // namespace

void add_bench_command(CLI::App& app, const CommonOptions& common, ExitCode&) {
  struct Arguments {
    std::string file;
    std::vector<std::string> overrides;
    int64_t steps = 40;
    int64_t warmup = 5;
    std::string phase = "all";
    std::string export_folder;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("bench", "Images per second of each phase, and where the time goes");
  command->add_option("FILE", arguments->file, "Experiment file (TOML)")->required();
  command->add_option("KEY=VALUE", arguments->overrides, "Overrides: run.threads=1");
  command->add_option("--steps", arguments->steps, "Steps measured")->check(CLI::PositiveNumber);
  command->add_option("--warmup", arguments->warmup, "Steps before")->check(CLI::NonNegativeNumber);
  command->add_option("--phase", arguments->phase, "Which to measure")
      ->check(CLI::IsMember({"all", "teacher", "alone", "distil"}));
  command->add_option("--export", arguments->export_folder,
                      "Write the teacher and the student's start values here, for other programs");
  command->callback([&common, arguments] {
    const Experiment experiment = load_for_command(arguments->file, arguments->overrides, common);
    const Session session(experiment);
    std::vector<Measured> rows;
    std::unique_ptr<Network> teacher;
    if (experiment.teacher) teacher = teacher_of(session);
    if (teacher && !arguments->export_folder.empty())
      export_start(session, *teacher, arguments->export_folder);
    const double peak = measure_peak_multiply_adds(session.placement().device);
    const auto wanted = [&](const char* phase) {
      return arguments->phase == "all" || arguments->phase == phase;
    };
    if (wanted("alone")) {
      const auto student = session.make_student();
      rows.push_back(
          measure(session.plan("alone", *student), arguments->warmup, arguments->steps, peak));
    }
    if (teacher && wanted("distil") && !experiment.transfers.empty()) {
      teacher->parameters().freeze();
      const auto student = session.make_student();
      const auto transfers = session.make_transfers();
      rows.push_back(measure(session.distil_plan(*student, *teacher, transfers), arguments->warmup,
                             arguments->steps, peak));
    }
    if (experiment.teacher && wanted("teacher")) {
      const auto learner = session.make_teacher();
      rows.push_back(
          measure(session.plan("teacher", *learner), arguments->warmup, arguments->steps, peak));
    }
    print(rows, common.json);
  });
}

}  // namespace retort::host
