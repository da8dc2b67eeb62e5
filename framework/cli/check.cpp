#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/run/machine.hpp"
#include "framework/run/session.hpp"
#include "framework/text.hpp"

namespace retort::host {
namespace {

using Json = nlohmann::ordered_json;

Json network_facts(Network& network) {
  return {{"model", network.description()},
          {"parameters", network.profile().parameters},
          {"multiply_adds", network.profile().multiply_adds}};
}

Json binding_facts(Network& network, const std::vector<std::string>& taps, int64_t batch) {
  Json shapes = Json::object();
  for (const std::string& tap : taps) shapes[tap] = network.tap_shape(tap, batch);
  return shapes;
}

/// Builds everything the run would, and runs one step of its main phase.
Json check_facts(const Session& session) {
  const Experiment& experiment = session.experiment();
  const ImageData& data = session.data();
  Json facts;
  facts["data"] = {{"dataset", data.id},
                   {"train", data.train.size()},
                   {"test", data.test.size()},
                   {"shape", {data.channels, data.height, data.width}},
                   {"classes", data.class_count}};
  const auto student = session.make_student();
  std::unique_ptr<Network> teacher;
  std::vector<std::unique_ptr<Transfer>> transfers;
  TrainingPlan plan = session.plan("alone", *student);
  if (experiment.teacher) {
    teacher = session.make_teacher();
    teacher->parameters().freeze();
    facts["teacher"] = network_facts(*teacher);
  }
  if (!experiment.transfers.empty()) {
    transfers = session.make_transfers();
    plan = session.distil_plan(*student, teacher.get(), transfers);
  }
  facts["student"] = network_facts(*student);
  Trainer trainer(plan);
  facts["transfers"] = Json::array();
  for (const auto& transfer : transfers) {
    const TransferConfig& config = transfer->config();
    const int64_t batch = experiment.data.batch_size;
    Json fact = {{"name", config.name},
                 {"weight", config.weight.from},
                 {"student", binding_facts(*student, config.bind_student, batch)},
                 {"teacher", Json::object()}};
    if (teacher) fact["teacher"] = binding_facts(*teacher, config.bind_teacher, batch);
    facts["transfers"].push_back(std::move(fact));
  }
  trainer.on_progress = [&](const Progress& progress) {
    for (const auto& [name, value] : progress.losses) facts["losses"][name] = value;
  };
  const auto start = std::chrono::steady_clock::now();
  trainer.run_steps(1);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  facts["first_step_seconds"] = seconds.count();
  facts["peak_rss_mib"] = peak_memory_mib();
  return facts;
}

void print_network(const char* role, const Json& network) {
  fmt::print("{:9} {}   {} parameters   {:.1f} M multiply-adds\n", role,
             network["model"].get<std::string>(), grouped(network["parameters"].get<int64_t>()),
             network["multiply_adds"].get<double>() / 1e6);
}

void print_facts(const Json& facts) {
  const Json& data = facts["data"];
  fmt::print("data      {}   {} train, {} test, {} x {} x {}, {} classes\n",
             data["dataset"].get<std::string>(), grouped(data["train"].get<int64_t>()),
             grouped(data["test"].get<int64_t>()), data["shape"][0].get<int64_t>(),
             data["shape"][1].get<int64_t>(), data["shape"][2].get<int64_t>(),
             data["classes"].get<int64_t>());
  if (facts.contains("teacher")) print_network("teacher", facts["teacher"]);
  print_network("student", facts["student"]);
  for (const Json& transfer : facts["transfers"]) {
    fmt::print("transfer  {}   weight {:g}\n", transfer["name"].get<std::string>(),
               transfer["weight"].get<double>());
    for (const char* role : {"student", "teacher"}) {
      for (const auto& [tap, shape] : transfer[role].items()) {
        fmt::print("          {} {:10} {}\n", role, tap,
                   shape_text(shape.get<std::vector<int64_t>>()));
      }
    }
  }
  fmt::print("step      ");
  for (const auto& [name, value] : facts["losses"].items()) {
    fmt::print("{} {:.4g}   ", name, value.get<double>());
  }
  fmt::print("{:.2f} s for the first\n", facts["first_step_seconds"].get<double>());
  fmt::print("memory    {:.0f} MiB at most so far\nok\n", facts["peak_rss_mib"].get<double>());
}

}  // namespace

void check_command(const ExperimentArguments& arguments, const CommonOptions& common) {
  const Experiment experiment = load_for_command(arguments, common);
  const Session session(experiment);
  const Json facts = check_facts(session);
  if (common.json) {
    fmt::print("{}\n", facts.dump(2));
  } else {
    print_facts(facts);
  }
}

}  // namespace retort::host
