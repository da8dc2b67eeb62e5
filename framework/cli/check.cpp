#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/base/text.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/guard/last_words.hpp"
#include "framework/report/log.hpp"
#include "framework/report/print.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/run/determinism.hpp"
#include "framework/run/machine.hpp"
#include "framework/run/phase_networks.hpp"
#include "framework/run/teacher_quality.hpp"
#include "framework/run/teacher_store.hpp"
#include "framework/run/term_trial.hpp"
#include "framework/train/device.hpp"
#include "framework/train/trainer.hpp"

namespace retort::host {
namespace {

using Json = nlohmann::ordered_json;

Json network_facts(Network& network) {
  const InputShape& input = network.input();
  return {{"model", network.description()},
          {"input", {input.channels, input.height, input.width}},
          {"parameters", network.profile().parameters},
          {"multiply_adds", network.profile().multiply_adds}};
}

Json binding_facts(Network& network, const std::vector<std::string>& taps, int64_t batch) {
  Json shapes = Json::object();
  for (const std::string& tap : taps) shapes[tap] = network.tap_shape(tap, batch);
  return shapes;
}

Json transfer_facts(const Networks& networks, int64_t batch) {
  Json facts = Json::array();
  for (const auto& transfer : networks.transfers) {
    const TransferConfig& config = transfer->config();
    Json fact = {{"name", config.name},
                 {"weight", config.weight.from},
                 {"student", binding_facts(*networks.student, config.bind_student, batch)},
                 {"teacher", Json::object()}};
    if (networks.teacher) {
      fact["teacher"] = binding_facts(*networks.teacher, config.bind_teacher, batch);
    }
    facts.push_back(std::move(fact));
  }
  return facts;
}

/// The training phases of the run, each with its steps in all.
Json phase_facts(const std::vector<PhaseSpec>& phases, int64_t steps_per_epoch) {
  Json facts = Json::array();
  for (const PhaseSpec& phase : phases) {
    facts.push_back({{"phase", phase.name},
                     {"epochs", phase.train->epochs},
                     {"steps", phase.train->epochs * steps_per_epoch}});
  }
  return facts;
}

/// What the run would write: paths, folders with a slash at their end.
std::vector<std::string> files_of(const Experiment& experiment,
                                  const std::vector<PhaseSpec>& phases) {
  const std::filesystem::path parent = runs_folder(experiment.run.out, experiment.name);
  std::filesystem::path folder;
  for (int number = 1; folder.empty() || std::filesystem::exists(folder); ++number) {
    folder = numbered_run(parent, number);
  }
  std::vector<std::string> files;
  for (const char* name : RunLayout::kFiles) files.push_back((folder / name).string());
  files.push_back(RunLayout(folder).checkpoints().string() + "/");
  for (const PhaseSpec& phase : phases) {
    if (phase.kept) files.push_back(teachers_folder(experiment.run.out).string() + "/");
  }
  return files;
}

/// Tries what the run trains: the teacher, where it is to be trained, and the last phase.
Json tell_warnings(const Session& session, const std::vector<PhaseSpec>& phases,
                   Networks& networks) {
  std::vector<std::string> warnings;
  for (const PhaseSpec& phase : phases) {
    if (!phase.kept && !phase.is_result) continue;
    for (const std::string& warning : try_terms(make_phase(session, phase, networks))) {
      warnings.push_back(warning);
    }
  }
  for (const std::string& warning : warnings) spdlog::warn("{}", warning);
  return warnings;
}

/// The file of the teacher's weights, given or kept by an earlier run, which are loaded then; "" where
/// the run would train it.
std::string load_teacher(const Session& session, Network& teacher) {
  const Experiment& experiment = session.experiment();
  if (experiment.teacher->weights) return experiment.teacher->weights->string();
  if (!std::filesystem::exists(teachers_folder(experiment.run.out))) return "";
  const TeacherStore store(session);
  return store.load(teacher) ? store.file().string() : "";
}

/// Evaluates a teacher that is not to be trained on some of the test split, and warns where it may be
/// guessing.
void judge_teacher(const Session& session, Network& teacher, const std::string& weights,
                   Json& facts) {
  const int64_t test_size = session.data().test.size();
  const auto [evaluation, labels] = sample_teacher(session, teacher);
  const Accuracy accuracy = {evaluation.top1_correct, evaluation.samples};
  facts["teacher"]["weights"] = weights;
  facts["teacher"]["test_sample"] = {{"correct", accuracy.correct},
                                     {"samples", accuracy.total},
                                     {"available", test_size},
                                     {"top1", accuracy.top1()}};
  const std::string warning = describe_guessing(evaluation, labels, test_size);
  if (warning.empty()) return;
  spdlog::warn("{}", warning);
  facts["warnings"].push_back(warning);
}

/// Builds everything the run would, and runs one step of its main phase.
Json check_facts(const Session& session) {
  const Experiment& experiment = session.experiment();
  const ImageData& data = session.data();
  Json facts;
  facts["data"] = {{"dataset", data.id},
                   {"train", data.trained_count()},
                   {"train_available", data.train_available},
                   {"validation", data.size(EvalSplit::Validation)},
                   {"test", data.test.size()},
                   {"shape", {data.channels, data.height, data.width}},
                   {"classes", data.class_count}};
  Networks networks = make_networks(session);
  Network* const teacher = networks.teacher.get();
  const std::string weights = teacher != nullptr ? load_teacher(session, *teacher) : "";
  std::vector<PhaseSpec> phases = phases_of(experiment);
  if (!weights.empty()) std::erase_if(phases, [](const PhaseSpec& its) { return its.kept; });
  if (teacher != nullptr) facts["teacher"] = network_facts(*teacher);
  facts["student"] = network_facts(*networks.student);
  Phase phase = make_phase(session, phases.back(), networks);
  phase.train.non_finite = NonFinite::Stop;  // a first step that is not finite is told, not skipped
  Trainer trainer(phase);
  facts["warnings"] = tell_warnings(session, phases, networks);
  if (teacher != nullptr) teacher->parameters().freeze();
  if (!weights.empty()) judge_teacher(session, *teacher, weights, facts);
  facts["transfers"] = transfer_facts(networks, experiment.data.batch_size);
  int64_t steps_per_epoch = 0;
  trainer.on_progress = [&](const Progress& progress) { steps_per_epoch = progress.steps; };
  const auto start = std::chrono::steady_clock::now();
  trainer.run_steps(1);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  facts["first_step_seconds"] = seconds.count();
  for (const auto& [name, value] : trainer.losses()) facts["losses"][name] = value;
  facts["peak_rss_mib"] = peak_memory_mib();
  facts["peak_gpu_mib"] = peak_gpu_memory_mib(session.placement().device);
  facts["phases"] = phase_facts(phases, steps_per_epoch);
  facts["files"] = files_of(experiment, phases);
  return facts;
}

void print_network(const char* role, const Json& network) {
  print_out("{:9} {}   {} parameters   {:.1f} M multiply-adds   input {}\n", role,
            network["model"].get<std::string>(), grouped(network["parameters"].get<int64_t>()),
            network["multiply_adds"].get<double>() / 1e6,
            shape_text(network["input"].get<std::vector<int64_t>>()));
}

void print_teacher(const Json& teacher) {
  print_network("teacher", teacher);
  if (!teacher.contains("test_sample")) return;
  const Json& sample = teacher["test_sample"];
  const Accuracy accuracy = {sample["correct"].get<int64_t>(), sample["samples"].get<int64_t>()};
  print_out("          {}, top-1 {:.2f} %, with {}\n",
            right_text(accuracy, sample["available"].get<int64_t>()), accuracy.top1(),
            teacher["weights"].get<std::string>());
}

void print_facts(const Json& facts, const ImageData& data) {
  print_out("data      {}\n", description(data));
  if (facts.contains("teacher")) print_teacher(facts["teacher"]);
  print_network("student", facts["student"]);
  for (const Json& transfer : facts["transfers"]) {
    print_out("transfer  {}   weight {:g}\n", transfer["name"].get<std::string>(),
              transfer["weight"].get<double>());
    for (const char* role : {"student", "teacher"}) {
      for (const auto& [tap, shape] : transfer[role].items()) {
        print_out("          {} {:10} {}\n", role, tap,
                  shape_text(shape.get<std::vector<int64_t>>()));
      }
    }
  }
  print_out("step      ");
  for (const auto& [name, value] : facts["losses"].items()) {
    print_out("{} {:.4g}   ", name, value.get<double>());
  }
  print_out("{:.2f} s for the first\n", facts["first_step_seconds"].get<double>());
  print_out("memory    {:.0f} MiB at most so far", facts["peak_rss_mib"].get<double>());
  const auto gpu = facts["peak_gpu_mib"].get<double>();
  print_out("{}\n", gpu > 0 ? fmt::format(", {:.0f} MiB of the GPU's", gpu) : "");
  for (const Json& phase : facts["phases"]) {
    print_out("train     {:8} {} epochs, {} steps in all\n", phase["phase"].get<std::string>(),
              grouped(phase["epochs"].get<int64_t>()), grouped(phase["steps"].get<int64_t>()));
  }
  for (const Json& file : facts["files"]) print_out("writes    {}\n", file.get<std::string>());
  print_out("ok\n");
}

}  // namespace

ExitCode check_command(const ExperimentArguments& arguments, const CommonOptions& common) {
  last_words().crash_is_code = true;  // what a plugin does to its process is an answer too
  const Experiment experiment = load_for_command(arguments, common);
  const Session session(experiment);
  check_determinism(session);
  const Json facts = check_facts(session);
  if (common.json) {
    print_out("{}\n", json_text(facts, 2));
  } else {
    print_facts(facts, session.data());
  }
  return ExitCode::Ok;
}

}  // namespace retort::host
