#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "framework/base/suggest.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/report/print.hpp"
#include "framework/run/machine.hpp"
#include "framework/run/phase_networks.hpp"
#include "framework/run/teacher_store.hpp"
#include "framework/train/device.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/loop.hpp"

namespace retort::host {
namespace {

constexpr std::array<const char*, kStepParts> kPartNames = {"data", "teacher",  "forward",
                                                            "loss", "backward", "optimizer"};

struct Measured {
  std::string phase;
  double images_per_second = 0;
  double multiply_adds = 0;  // of one image in one step
  StepTimes share{};
};

void check_phase(const std::string& wanted, const std::vector<PhaseSpec>& phases) {
  std::vector<std::string> known = {kAllPhases};
  for (const PhaseSpec& phase : phases) known.push_back(phase.name);
  if (std::find(known.begin(), known.end(), wanted) != known.end()) return;
  const std::string meant = nearest(wanted, known);
  throw ConfigError("--phase " + wanted + ": is no phase of this experiment; " +
                    (meant.empty() ? "" : "did you mean \"" + meant + "\"? ") +
                    "known: " + join(known));
}

/// Each part's share of the time between two readings.
StepTimes shares(const StepTimes& before, const StepTimes& after) {
  StepTimes spent{};
  for (size_t i = 0; i < kStepParts; ++i) spent[i] = after[i] - before[i];
  const double sum = std::accumulate(spent.begin(), spent.end(), 0.0);
  for (double& part : spent) part /= sum;
  return spent;
}

/// Measures the phases of an experiment, and remembers when the first step was done.
class Bench {
 public:
  Bench(const Experiment& experiment, const std::vector<PhaseSpec>& phases,
        const BenchArguments& arguments)
      : arguments_(arguments), session_(experiment) {
    make_networks(session_);  // tells all that does not fit at once
    prepare_teachers();
    // The last first: it is what most ask for.
    for (auto spec = phases.rbegin(); spec != phases.rend(); ++spec) {
      if (arguments_.phase != kAllPhases && arguments_.phase != spec->name) continue;
      if (spec->kind == PhaseKind::Teacher)
        networks_.by_name[spec->name] = session_.make_network(spec->name);
      renew_students(session_, *spec, networks_);
      measure(make_phase(session_, *spec, networks_));
    }
    peak_ = measure_peak_multiply_adds(session_.placement().device);
  }

  void print() const;
  void print_json() const;

 private:
  void prepare_teachers();
  void export_networks() const;
  void measure(Phase phase);
  StepTimes share_of_parts(Phase phase) const;
  double share_of_peak(const Measured& row) const {
    return row.images_per_second * row.multiply_adds / peak_;
  }

  const BenchArguments& arguments_;
  Session session_;
  Networks networks_;  // of the phase that is measured
  double first_step_s_ = 0;
  double peak_ = 0;  // multiply-adds a second of a large float32 matrix product
  std::vector<Measured> rows_;
};

/// Takes the teachers' weights, the kept ones, or start values, which cost the same.
void Bench::prepare_teachers() {
  for (const NetworkConfig& config : session_.experiment().teachers) {
    auto teacher = session_.make_network(config.name);
    if (config.given().empty()) TeacherStore(session_, config).load(*teacher);
    networks_.by_name[config.name] = std::move(teacher);
  }
  if (session_.experiment().has_teacher() && !arguments_.export_folder.empty()) export_networks();
}

/// For the loops in PyTorch that are compared with: the first teacher and the first student.
void Bench::export_networks() const {
  const Experiment& experiment = session_.experiment();
  const std::filesystem::path folder = arguments_.export_folder;
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure)
    throw EnvironmentError(folder.string() + ": cannot be created: " + failure.message());
  save_network(folder / "teacher.safetensors",
               networks_.at(experiment.teachers.front().name).parameters(), {{"format", "pt"}});
  save_network(folder / "student_start.safetensors",
               session_.make_network(experiment.students.front().name)->parameters(),
               {{"format", "pt"}});
}

/// How often a step goes back through the network of a learner.
size_t count_backward_passes(const Phase& phase, const Participant& learner) {
  if (!phase.train.optimizer.keeps_groups_apart()) return 1;
  std::set<GradientGroup> groups;
  for (const auto& term : phase.terms)
    if (term->learner() == learner.name) groups.insert(term->gradient_group());
  return groups.size();
}

/// Of one sample in one step, over all passes.
double count_multiply_adds(const Phase& phase) {
  double sum = 0;
  const Passes passes(phase);
  for (const Pass& pass : passes.all()) {
    const auto forward = static_cast<double>(pass.participant->network().profile().multiply_adds);
    const auto times = static_cast<double>(pass.view->maker->times());
    // Backward costs twice the forward pass.
    const size_t backward =
        pass.participant->learns ? count_backward_passes(phase, *pass.participant) : 0;
    sum += times * forward * (1 + 2 * static_cast<double>(backward));
  }
  return sum;
}

void Bench::measure(Phase phase) {
  const at::Device device = session_.placement().device;
  Loop loop(phase);
  loop.run_steps(1);
  synchronize(device);
  if (first_step_s_ == 0) first_step_s_ = process_seconds();
  loop.run_steps(arguments_.warmup);
  synchronize(device);
  const StepTimes before = loop.times();
  const int64_t first = loop.steps_done();
  const auto start = std::chrono::steady_clock::now();
  loop.run_steps(arguments_.steps);
  synchronize(device);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;

  Measured measured;
  measured.phase = phase.name;
  const auto images = static_cast<double>((loop.steps_done() - first) * phase.batch_size);
  measured.images_per_second = images / seconds.count();
  measured.multiply_adds = count_multiply_adds(phase);
  // Waiting for a GPU after each part slows it down, so its parts are timed in steps of their own.
  measured.share = device.is_cpu() ? shares(before, loop.times()) : share_of_parts(phase);
  rows_.push_back(measured);
}

StepTimes Bench::share_of_parts(Phase phase) const {
  phase.timing = StepTiming::Done;
  Loop loop(phase);
  loop.run_steps(arguments_.warmup);
  const StepTimes before = loop.times();
  loop.run_steps(arguments_.steps);
  return shares(before, loop.times());
}

void Bench::print_json() const {
  const at::Device device = session_.placement().device;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Measured& row : rows_) {
    nlohmann::ordered_json entry = {{"phase", row.phase},
                                    {"images_per_s", row.images_per_second},
                                    {"share_of_peak", share_of_peak(row)},
                                    {"first_step_s", first_step_s_},
                                    {"peak_rss_mib", peak_memory_mib()},
                                    {"peak_gpu_mib", peak_gpu_memory_mib(device)}};
    for (size_t i = 0; i < kStepParts; ++i) entry["share"][kPartNames[i]] = row.share[i];
    list.push_back(entry);
  }
  print_out("{}\n", json_text(list, 2));
}

void Bench::print() const {
  print_out("{:8}  {:>9}  {:>7}", "phase", "images/s", "of peak");
  for (const char* name : kPartNames) print_out("  {:>9}", name);
  print_out("\n");
  for (const Measured& row : rows_) {
    print_out("{:8}  {:9.0f}  {:5.0f} %", row.phase, row.images_per_second,
              100 * share_of_peak(row));
    for (const double share : row.share) print_out("  {:7.1f} %", 100 * share);
    print_out("\n");
  }
  print_out("peak is a float32 matrix product: {:.1f} G multiply-adds/s\n", peak_ / 1e9);
  print_out("first step done {:.2f} s after the start of the process; {:.0f} MiB at most",
            first_step_s_, peak_memory_mib());
  const double gpu = peak_gpu_memory_mib(session_.placement().device);
  print_out("{}\n", gpu > 0 ? fmt::format(", {:.0f} MiB of the GPU's", gpu) : "");
}

}  // namespace

void bench_command(const BenchArguments& arguments, const CommonOptions& common) {
  const Experiment experiment = load_for_command(arguments.experiment, common);
  const std::vector<PhaseSpec> phases = measurable_phases(experiment);
  check_phase(arguments.phase, phases);
  const Bench bench(experiment, phases, arguments);
  if (common.json) {
    bench.print_json();
  } else {
    bench.print();
  }
}

}  // namespace retort::host
