#include <spdlog/fmt/fmt.h>

#include <chrono>

#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/report/number_text.hpp"
#include "framework/run/machine.hpp"
#include "framework/run/session.hpp"

namespace retort::host {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

void print_network(const char* role, Network& network) {
  const NetworkProfile& profile = network.profile();
  fmt::print("{:9} {}   {} parameters   {:.1f} M multiply-adds\n", role, network.description(),
             grouped(profile.parameters), static_cast<double>(profile.multiply_adds) / 1e6);
}

void print_binding(const Session& session, Network& student, Network& teacher) {
  const int64_t batch = session.experiment().data.batch_size;
  for (const TransferConfig& transfer : session.experiment().transfers) {
    fmt::print("transfer  {}   weight {:g}{}\n", transfer.name, transfer.weight.from,
               transfer.weight.from == transfer.weight.to
                   ? ""
                   : fmt::format(" to {:g}", transfer.weight.to));
    for (const std::string& tap : transfer.bind_student) {
      fmt::print("          student {:10} {}\n", tap, shape_text(student.tap_shape(tap, batch)));
    }
    for (const std::string& tap : transfer.bind_teacher) {
      fmt::print("          teacher {:10} {}\n", tap, shape_text(teacher.tap_shape(tap, batch)));
    }
  }
}

/// One forward and backward pass of the run's main phase.
void check_step(const Session& session) {
  const auto student = session.make_student();
  print_network("student", *student);
  std::unique_ptr<Network> teacher;
  std::vector<std::unique_ptr<Transfer>> transfers;
  TrainingPlan plan = session.plan("alone", *student);
  if (session.experiment().teacher) {
    teacher = session.make_teacher();
    teacher->parameters().freeze();
    print_network("teacher", *teacher);
    transfers = session.make_transfers();
    plan = session.distil_plan(*student, *teacher, transfers);
  }
  Trainer trainer(plan);
  if (teacher) print_binding(session, *student, *teacher);
  std::vector<std::pair<std::string, double>> losses;
  trainer.on_progress = [&](const Progress& progress) { losses = progress.losses; };
  const auto start = std::chrono::steady_clock::now();
  trainer.run_steps(1);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("step      ");
  for (const auto& [name, value] : losses) fmt::print("{} {:.4g}   ", name, value);
  fmt::print("{:.2f} s for the first\n", seconds.count());
  fmt::print("memory    {:.0f} MiB at most so far\n", peak_memory_mib());
}

}  // namespace

void add_check_command(CLI::App& app, const CommonOptions& common, ExitCode&) {
  struct Arguments {
    std::string file;
    std::vector<std::string> overrides;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("check", "Resolve and check everything, run one step; writes nothing");
  command->add_option("FILE", arguments->file, "Experiment file (TOML)")->required();
  command->add_option("KEY=VALUE", arguments->overrides, "Overrides: student.depth=14");
  command->callback([&common, arguments] {
    const Experiment experiment = load_for_command(arguments->file, arguments->overrides, common);
    const Session session(experiment);
    const ImageData& data = session.data();
    fmt::print("data      {}   {} train, {} test, {} x {} x {}, {} classes\n", data.id,
               grouped(data.train.size()), grouped(data.test.size()), data.channels, data.height,
               data.width, data.class_count);
    check_step(session);
    fmt::print("ok\n");
  });
}

}  // namespace retort::host
