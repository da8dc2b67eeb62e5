#include "framework/config/read_experiment.hpp"

#include <algorithm>
#include <utility>

#include "framework/config/check_together.hpp"
#include "framework/config/keys/baseline.hpp"
#include "framework/config/keys/names.hpp"
#include "framework/config/keys/seeds.hpp"

namespace retort::host::config {
namespace {

/// Reads the teacher, which the transfers read before may need.
void read_teacher(Section& root, const Catalog& catalog, Experiment& experiment) {
  const auto& transfers = experiment.transfers;
  const auto needs_one =
      std::find_if(transfers.begin(), transfers.end(), [](const TransferConfig& transfer) {
        const ComponentInfo& info = transfer.strategy.info;
        return !info.id.empty() && (info.needs & RETORT_NEED_NO_TEACHER) == 0;
      });
  const bool asked_for = root.node()->find("teacher") != nullptr || root.schema() != nullptr;
  if (needs_one == transfers.end() && !asked_for) {
    root.take("teacher");
    return;
  }
  const std::string who =
      ", and transfer[" + std::to_string(needs_one - transfers.begin()) + "] needs one";
  Section section = root.required("teacher", who, "[teacher] with a model");
  experiment.teacher.emplace().train = experiment.train;
  read_network(std::move(section), NetworkRole::Teacher, catalog, *experiment.teacher);
}

}  // namespace

void read_experiment(Section& root, const Catalog& catalog, Purpose purpose,
                     Experiment& experiment) {
  read_names(root, experiment);
  read_seeds(root, experiment);
  read_data(root.required("data", "", "[data] with dataset = \"...\""), catalog, experiment.data);
  read_train(root.section("train"), experiment.train);
  read_transfers(root, catalog, experiment.transfers);
  read_teacher(root, catalog, experiment);
  experiment.student.train = experiment.train;
  read_network(root.required("student", "", "[student] with a model"), NetworkRole::Student,
               catalog, experiment.student);
  read_task(root.section("task"), experiment.task);
  read_run(root.section("run"), experiment.run);
  read_baseline(root.section("baseline"), experiment);
  read_sweep(root.section("sweep"), experiment.sweep);
  root.finish();
  check_together(root, experiment, purpose);
}

}  // namespace retort::host::config
