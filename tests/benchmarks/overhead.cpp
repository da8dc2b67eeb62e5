// overhead_bench [FILE [KEY=VALUE...]]: what saving, logging, metrics and progress take from
// training (default: experiments/fashion_kd.toml).
//
// Trains the student with its transfers as `retort run` does, in a run folder below run.out that is
// removed at the end, and times what the run does beside training: the progress line after each
// step, once on a terminal and once not; a state saved every few steps; what is written after each
// epoch. The teacher keeps its start values, which cost the same. `processor` is the training
// thread's own time: another process on the machine counts less in it. A state is a wait for the
// disk, so wall time tells there. It prints and judges nothing.

#include <ATen/Version.h>
#include <ATen/ops/full.h>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "framework/config/experiment_file.hpp"
#include "framework/report/progress.hpp"
#include "framework/report/run_folder.hpp"
#include "framework/report/tensorboard.hpp"
#include "framework/run/checkpoint.hpp"
#include "framework/run/machine.hpp"
#include "framework/run/machine_facts.hpp"
#include "framework/run/phase_networks.hpp"
#include "framework/run/session.hpp"
#include "framework/train/loop.hpp"
#include "framework/train/loss_reader.hpp"

namespace retort::bench {
namespace {

constexpr int64_t kStepsBetweenStates = 20;

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// When it was made.
struct Stopwatch {
  double wall = wall_seconds(), processor = thread_seconds();
};

/// The times of one activity, each call on its own.
class Times {
 public:
  template <class Work>
  void time(const Work& work) {
    const Stopwatch start;
    work();
    add_since(start);
  }

  void add_since(const Stopwatch& start) {
    processor_.push_back(thread_seconds() - start.processor);
    wall_.push_back(wall_seconds() - start.wall);
  }

  size_t calls() const { return wall_.size(); }
  double wall() const { return sum(wall_); }
  double processor() const { return sum(processor_); }
  double median_wall() const { return middle(wall_); }
  double median_processor() const { return middle(processor_); }
  double most_wall() const {
    return wall_.empty() ? 0 : *std::max_element(wall_.begin(), wall_.end());
  }

 private:
  static double sum(const std::vector<double>& values) {
    double all = 0;
    for (const double value : values) all += value;
    return all;
  }
  static double middle(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }

  std::vector<double> wall_, processor_;
};

/// Something else in place of stderr, while it is in use.
class Stderr {
 public:
  explicit Stderr(int fd) : fd_(fd) {
    if (fd_ < 0) throw std::runtime_error("no terminal, or no /dev/null, could be opened");
  }
  Stderr(const Stderr&) = delete;
  ~Stderr() { close(fd_); }

  template <class Work>
  void use(const Work& work) const {
    const int before = dup(STDERR_FILENO);
    dup2(fd_, STDERR_FILENO);
    work();
    dup2(before, STDERR_FILENO);
    close(before);
  }

 private:
  int fd_;
};

/// A terminal of 120 columns whose other end is read and thrown away, as a window would.
class Terminal {
 public:
  Terminal() : master_(posix_openpt(O_RDWR | O_NOCTTY)), stderr_(open_slave(master_)) {
    reader_ = std::thread([this] {
      char text[4096];
      while (read(master_, text, sizeof text) > 0) {
      }
    });
  }
  ~Terminal() {
    stderr_.reset();  // the reader then meets the end
    reader_.join();
    close(master_);
  }

  const Stderr& stderr_of() const { return *stderr_; }

 private:
  static std::unique_ptr<Stderr> open_slave(int master) {
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
      return std::make_unique<Stderr>(-1);
    }
    const winsize size = {40, 120, 0, 0};
    const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    ioctl(slave, TIOCSWINSZ, &size);
    return std::make_unique<Stderr>(slave);
  }

  int master_;
  std::unique_ptr<Stderr> stderr_;
  std::thread reader_;
};

/// A progress line on its own stderr, and what it takes.
class TimedLine {
 public:
  explicit TimedLine(const Stderr& place) : place_(place) {
    place_.use([&] { line_ = std::make_unique<host::ProgressLine>(); });
  }

  void step(const host::Progress& progress) {
    place_.use([&] { steps_.time([&] { line_->step(progress); }); });
  }
  void epoch(const std::string& phase, int64_t count, const host::EpochReport& report) {
    place_.use([&] { epochs_.time([&] { line_->epoch(phase, count, report); }); });
  }

  const Times& steps() const { return steps_; }
  const Times& epochs() const { return epochs_; }

 private:
  const Stderr& place_;
  std::unique_ptr<host::ProgressLine> line_;
  Times steps_, epochs_;
};

/// One phase of distillation with everything that `retort run` does around it.
class Overhead {
 public:
  explicit Overhead(const host::Experiment& experiment)
      : experiment_(experiment),
        session_(experiment),
        phases_(host::phases_of(experiment)),
        nowhere_(open("/dev/null", O_WRONLY | O_CLOEXEC)),
        on_terminal_(terminal_.stderr_of()),
        elsewhere_(nowhere_) {
    for (const host::NetworkConfig& teacher : experiment.teachers)
      networks_.by_name[teacher.name] = session_.make_network(teacher.name);
    host::renew_students(session_, phases_.back(), networks_);
  }

  void run();
  void print() const;

 private:
  void train(const host::Phase& phase, host::RunFolder& folder);
  void after_epoch(const host::Phase& phase, host::RunFolder& folder,
                   const host::EpochReport& report);
  void read_losses(size_t terms);

  const host::Experiment& experiment_;
  host::Session session_;
  std::vector<host::PhaseSpec> phases_;
  host::Networks networks_;
  Terminal terminal_;
  Stderr nowhere_;
  TimedLine on_terminal_, elsewhere_;
  std::optional<host::EventFile> events_;
  Times steps_, states_, metrics_, tensorboard_, best_, losses_;
  double aside_wall_ = 0, aside_processor_ = 0;  // spent in what is timed
  double training_ = 0, processor_ = 0;          // wall and processor, all of the phase
  Stopwatch aside_end_;                          // when training went on after it
  int64_t epochs_ = 0, state_tensors_ = 0;
  std::string folder_;
};

void Overhead::run() {
  host::RunFolder folder(experiment_);
  folder_ = folder.path().string();
  events_.emplace(folder.path());
  const host::Phase phase = host::make_phase(session_, phases_.back(), networks_);
  try {
    train(phase, folder);
  } catch (...) {
    std::filesystem::remove_all(folder.path());
    throw;
  }
  std::filesystem::remove_all(folder.path());
  std::error_code where_other_runs_are;
  std::filesystem::remove(folder.path().parent_path(), where_other_runs_are);
  read_losses(networks_.transfers.size() + 2);
}

void Overhead::train(const host::Phase& phase, host::RunFolder& folder) {
  host::Loop loop(phase);
  host::CheckpointStore store(folder.layout().states());
  const host::MachineFacts machine = host::machine_facts(session_);
  const auto aside = [&](const auto& work) {
    const Stopwatch start;
    work();
    aside_wall_ += wall_seconds() - start.wall;
    aside_processor_ += thread_seconds() - start.processor;
    aside_end_ = Stopwatch();
  };
  const auto save = [&] {
    states_.time([&] {
      const auto tensors = loop.tensors();
      state_tensors_ = std::ssize(tensors);
      store.save({phase.name, false, loop.state(), {}, folder.metrics_bytes(), machine, {}},
                 tensors);
    });
  };
  loop.checkpoint_steps = kStepsBetweenStates;
  loop.on_checkpoint = [&] { aside(save); };
  loop.on_progress = [&](const host::Progress& progress) {
    if (progress.step > 1) steps_.add_since(aside_end_);
    aside([&] {
      on_terminal_.step(progress);
      elsewhere_.step(progress);
    });
  };
  loop.on_best = [&] {
    aside([&] {
      best_.time([&] {
        host::save_tensors(
            folder.layout().weights_file(host::weights_name(phase.name, host::SavedWeights::Best)),
            host::named_weights(networks_.student->parameters()),
            {{"format", "pt"}, {"model", networks_.student->description()}});
      });
    });
  };
  loop.on_epoch = [&](const host::EpochReport& report) {
    aside([&] {
      after_epoch(phase, folder, report);
      save();
    });
  };
  const Stopwatch start;
  loop.run();
  training_ = wall_seconds() - start.wall - aside_wall_;
  processor_ = thread_seconds() - start.processor - aside_processor_;
}

void Overhead::after_epoch(const host::Phase& phase, host::RunFolder& folder,
                           const host::EpochReport& report) {
  ++epochs_;
  on_terminal_.epoch(phase.name, phase.train.epochs, report);
  elsewhere_.epoch(phase.name, phase.train.epochs, report);
  metrics_.time([&] { folder.append_metrics(phase.name, report); });
  tensorboard_.time([&] { events_->add(phase.name, report); });
}

/// The loop reads its losses within the step, so this reads others as it does.
void Overhead::read_losses(size_t terms) {
  host::LossTerms step;
  for (size_t i = 0; i < terms; ++i) step.add(std::to_string(i), at::full({}, 1.0));
  host::TrainingState state;
  state.terms = step.names;
  state.loss_sums.assign(terms, 0);
  host::LossReader reader;
  for (int i = 0; i < 2000; ++i) {
    losses_.time([&] {
      reader.add(step, state);
      if (reader.read(state)) throw std::runtime_error("a loss was misread");
    });
  }
}

std::string duration_text(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
  return fmt::format("{:.2f} s", seconds);
}

void print_row(const char* name, double wall, double processor, const std::string& rest) {
  fmt::print("{:34}{:>12}{:>12}   {}\n", name, duration_text(wall), duration_text(processor), rest);
}

void Overhead::print() const {
  fmt::print("{}: {} steps of {} images, {} epochs; LibTorch {}, {} threads, {}; states in {}\n\n",
             experiment_.name, steps_.calls() + static_cast<size_t>(epochs_),
             experiment_.data.batch_size, epochs_, RETORT_TORCH_VERSION, session_.threads(),
             at::get_cpu_capability(), std::filesystem::path(folder_).parent_path().string());
  fmt::print("{:34}{:>12}{:>12}\n", "", "wall", "processor");
  const auto epochs = static_cast<double>(epochs_);
  const double epoch = training_ / epochs, epoch_processor = processor_ / epochs;
  print_row("an epoch, evaluation included", epoch, epoch_processor, "");
  const double step_processor = steps_.median_processor();
  print_row("a step", steps_.median_wall(), step_processor, "median");
  const auto per_step = [&](const char* name, const Times& times) {
    const double calls = static_cast<double>(times.calls());
    print_row(name, times.wall() / calls, times.processor() / calls,
              fmt::format("{:.3f} % of a step's processor time",
                          100 * times.processor() / calls / step_processor));
  };
  per_step("progress, terminal", on_terminal_.steps());
  per_step("progress, no terminal", elsewhere_.steps());
  per_step("losses read", losses_);
  const auto per_epoch = [&](const char* name, const Times& times) {
    print_row(name, times.median_wall(), times.median_processor(),
              fmt::format("{:.3f} % of an epoch; median of {}, most {}",
                          100 * times.median_wall() / epoch, times.calls(),
                          duration_text(times.most_wall())));
  };
  per_epoch("state saved", states_);
  per_epoch("line of metrics.jsonl", metrics_);
  per_epoch("best weights", best_);
  per_epoch("TensorBoard", tensorboard_);
  per_epoch("line of the epoch, terminal", on_terminal_.epochs());
  const double all = states_.median_wall() + metrics_.median_wall() + best_.median_wall() +
                     tensorboard_.median_wall() + on_terminal_.epochs().median_wall();
  fmt::print("\nafter an epoch, all of it: {}, {:.3f} % of the epoch; a state has {} tensors\n",
             duration_text(all), 100 * all / epoch, state_tensors_);
}

void run(const std::vector<std::string>& arguments) {
  const std::string file =
      arguments.empty() ? RETORT_SOURCE_DIR "/experiments/fashion_kd.toml" : arguments.front();
  const std::vector<std::string> overrides(arguments.begin() + (arguments.empty() ? 0 : 1),
                                           arguments.end());
  host::Experiment experiment =
      host::load_experiment(file, overrides, host::Catalog::scan({RETORT_PLUGIN_DIR}));
  if (experiment.transfers.empty()) {
    throw std::runtime_error(file + ": has no [[transfer]]; name a file that distils");
  }
  experiment.name += "-overhead";
  Overhead overhead(experiment);
  overhead.run();
  overhead.print();
}

}  // namespace
}  // namespace retort::bench

int main(int argc, char** argv) {
  retort::host::keep_memory();  // as the program does
  try {
    retort::bench::run({argv + 1, argv + argc});
    return 0;
  } catch (const c10::Error& error) {
    fmt::print(stderr, "LibTorch: {}\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  return 1;
}
