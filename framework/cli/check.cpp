#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
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
#include "framework/run/phase_trial.hpp"
#include "framework/run/result_files.hpp"
#include "framework/run/teacher_quality.hpp"
#include "framework/run/teacher_store.hpp"
#include "framework/train/device.hpp"
#include "framework/train/loop.hpp"

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
    if (transfer == nullptr) continue;
    const TransferConfig& config = transfer->config();
    Json fact = {
        {"name", config.name},
        {"weight", config.weight.from},
        {"student", binding_facts(networks.at(config.student), config.bind_student, batch)},
        {"teacher", Json::object()}};
    if (!config.teachers.empty()) {
      Network& teacher = networks.at(config.teachers.front());
      fact["teacher"] = binding_facts(teacher, config.bind_teacher, batch);
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
  for (const char* name : RunLayout::kFiles) {
    if (name != std::string_view(RunLayout::kResultWeights)) {
      files.push_back((folder / name).string());
      continue;
    }
    for (const ResultFile& result : list_result_files(experiment, RunLayout(folder)))
      files.push_back(result.file.string());
  }
  files.push_back(RunLayout(folder).checkpoints().string() + "/");
  const auto keeps = [](const PhaseSpec& phase) { return phase.kind == PhaseKind::Teacher; };
  if (std::any_of(phases.begin(), phases.end(), keeps))
    files.push_back(teachers_folder(experiment.run.out).string() + "/");
  return files;
}

/// Tries what the run trains: teachers that are to be trained, and the main phases.
Json tell_warnings(const Session& session, const std::vector<PhaseSpec>& phases,
                   Networks& networks) {
  std::vector<std::string> warnings;
  for (size_t i = 0; i < phases.size(); ++i) {
    if (phases[i].kind == PhaseKind::Baseline) continue;
    for (const std::string& warning : try_phase(session, phases, i, networks))
      warnings.push_back(warning);
  }
  for (const std::string& warning : warnings) spdlog::warn("{}", warning);
  return warnings;
}

/// The file of a teacher's weights, given or kept by an earlier run, which are loaded then; "" where
/// the run would train it.
std::string load_teacher(const Session& session, const NetworkConfig& config, Network& teacher) {
  if (const auto given = config.given(); !given.empty()) return given.string();
  if (!std::filesystem::exists(teachers_folder(session.experiment().run.out))) return "";
  const TeacherStore store(session, config);
  return store.load(teacher) ? store.file().string() : "";
}

/// Evaluates a teacher that is not to be trained on some of the test split, and warns where it may be
/// guessing.
void judge_teacher(const Session& session, Network& teacher, const std::string& weights,
                   Json& network, Json& warnings) {
  const int64_t test_size = session.data().test.size();
  const auto [evaluation, labels] = sample_teacher(session, teacher);
  const Accuracy accuracy = {evaluation.top1_correct, evaluation.samples};
  network["weights"] = weights;
  network["test_sample"] = {{"correct", accuracy.correct},
                            {"samples", accuracy.total},
                            {"available", test_size},
                            {"top1", accuracy.top1()}};
  const std::string warning = describe_guessing(teacher.role(), evaluation, labels, test_size);
  if (warning.empty()) return;
  spdlog::warn("{}", warning);
  warnings.push_back(warning);
}

/// Where a network is told of: the usual ones at the top, others under "networks".
Json& place_network(Json& facts, const std::string& name) {
  const bool usual = name == kTeacherName || name == kStudentName;
  return usual ? facts[name] : facts["networks"][name];
}

const Json& find_network(const Json& facts, const std::string& name) {
  const bool usual = name == kTeacherName || name == kStudentName;
  return usual ? facts.at(name) : facts.at("networks").at(name);
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
  std::map<std::string, std::string> weights;  // of the teachers that are not to be trained
  std::vector<PhaseSpec> phases = phases_of(experiment);
  for (const NetworkConfig& config : experiment.teachers) {
    Network& teacher = networks.at(config.name);
    const std::string file = load_teacher(session, config, teacher);
    place_network(facts, config.name) = network_facts(teacher);
    if (file.empty()) continue;
    weights[config.name] = file;
    std::erase_if(phases, [&](const PhaseSpec& its) {
      return its.kind == PhaseKind::Teacher && its.name == config.name;
    });
  }
  for (const NetworkConfig& config : experiment.students)
    place_network(facts, config.name) = network_facts(networks.at(config.name));
  facts["warnings"] = tell_warnings(session, phases, networks);
  Phase phase = make_phase(session, phases.back(), networks);
  phase.train.non_finite = NonFinite::Stop;  // a first step that is not finite is told, not skipped
  Loop loop(phase);
  for (const auto& [name, file] : weights)
    judge_teacher(session, networks.at(name), file, place_network(facts, name), facts["warnings"]);
  facts["transfers"] = transfer_facts(networks, experiment.data.batch_size);
  int64_t steps_per_epoch = 0;
  loop.on_progress = [&](const Progress& progress) { steps_per_epoch = progress.steps; };
  const auto start = std::chrono::steady_clock::now();
  loop.run_steps(1);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  facts["first_step_seconds"] = seconds.count();
  for (const auto& [name, value] : loop.losses()) facts["losses"][name] = value;
  facts["peak_rss_mib"] = peak_memory_mib();
  facts["peak_gpu_mib"] = peak_gpu_memory_mib(session.placement().device);
  facts["phases"] = phase_facts(phases, steps_per_epoch);
  facts["files"] = files_of(experiment, phases);
  return facts;
}

void print_network(const std::string& role, const Json& network) {
  print_out("{:9} {}   {} parameters   {:.1f} M multiply-adds   input {}\n", role,
            network["model"].get<std::string>(), grouped(network["parameters"].get<int64_t>()),
            network["multiply_adds"].get<double>() / 1e6,
            shape_text(network["input"].get<std::vector<int64_t>>()));
}

void print_sample(const Json& teacher) {
  if (!teacher.contains("test_sample")) return;
  const Json& sample = teacher["test_sample"];
  const Accuracy accuracy = {sample["correct"].get<int64_t>(), sample["samples"].get<int64_t>()};
  print_out("          {}, top-1 {:.2f} %, with {}\n",
            right_text(accuracy, sample["available"].get<int64_t>()), accuracy.top1(),
            teacher["weights"].get<std::string>());
}

void print_facts(const Json& facts, const Session& session) {
  print_out("data      {}\n", description(session.data()));
  const Experiment& experiment = session.experiment();
  for (const auto* networks : {&experiment.teachers, &experiment.students}) {
    for (const NetworkConfig& network : *networks) {
      const Json& told = find_network(facts, network.name);
      print_network(network.name, told);
      print_sample(told);
    }
  }
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
    print_facts(facts, session);
  }
  return ExitCode::Ok;
}

}  // namespace retort::host
