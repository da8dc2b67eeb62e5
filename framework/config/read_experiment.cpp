#include "framework/config/read_experiment.hpp"

#include "framework/config/check_participants.hpp"
#include "framework/config/check_together.hpp"
#include "framework/config/keys/baseline.hpp"
#include "framework/config/keys/names.hpp"
#include "framework/config/keys/seeds.hpp"
#include "framework/config/keys/sides.hpp"

namespace retort::host::config {

void read_experiment(Section& root, const Catalog& catalog, Purpose purpose,
                     Experiment& experiment) {
  read_names(root, experiment);
  read_seeds(root, experiment);
  read_data(root.required("data", "[data] with dataset = \"...\""), catalog, experiment.data);
  read_train(root.section("train"), experiment.train);
  read_transfers(root, catalog, experiment.transfers);
  read_networks(root, NetworkRole::Teacher, catalog, experiment.data, experiment.train,
                experiment.teachers);
  read_networks(root, NetworkRole::Student, catalog, experiment.data, experiment.train,
                experiment.students);
  read_sides(root, experiment);
  check_needed_networks(root, experiment);
  read_task(root.section("task"), experiment.task);
  read_phases(root, experiment);
  read_run(root.section("run"), experiment.run);
  read_baseline(root.section("baseline"), experiment);
  read_sweep(root.section("sweep"), experiment.sweep);
  root.finish();
  check_together(root, purpose, experiment);
}

}  // namespace retort::host::config
