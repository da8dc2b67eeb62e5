// strategy_bench [NAME...]: what the loss of each built strategy (or of those named) costs through
// its loaded library, against the same formula written directly in LibTorch.
//
// One call is the loss and its backward pass to the student's tensors and the strategy's own
// parameters, on one thread, in float32, for a batch of 128 with the taps of resnet8 to resnet20 on
// 28x28 images, in the layout of training. Both sides take turns in each round; the table holds
// medians over the rounds, and the median of the rounds' own ratios. Times are the thread's
// processor time, so that another process on the machine counts less.
//
// Both sides must first give the same loss and the same gradients. The program fails where they do
// not, and where a strategy has no direct version.

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <stdexcept>
#include <utility>

#include "framework/run/machine.hpp"
#include "tests/benchmarks/strategies/direct.hpp"

namespace retort::bench {
namespace {

constexpr int64_t kBatch = 128, kClasses = 10;
constexpr int kRounds = 7;
constexpr double kRoundSeconds = 0.15;  // of each side
constexpr double kLossTolerance = 1e-4, kGradientTolerance = 1e-3;

double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// What a binding stands for in resnet8 and in resnet20, whose stages are alike.
std::vector<at::Tensor> random_taps(const std::vector<std::string>& binding) {
  using Shapes = std::vector<std::vector<int64_t>>;
  static const Shapes kStages = {{kBatch, 16, 28, 28}, {kBatch, 32, 14, 14}, {kBatch, 64, 7, 7}};
  static const std::map<std::string, Shapes> kShapes = {{"stages", kStages},
                                                        {"layer2", {kStages[1]}},
                                                        {"last_map", {kStages[2]}},
                                                        {"pooled", {{kBatch, 64}}}};
  std::vector<at::Tensor> taps;
  for (const std::string& name : binding) {
    const bool is_activated = !name.ends_with(".preact");
    for (const std::vector<int64_t>& shape : kShapes.at(name.substr(0, name.find('.')))) {
      const at::Tensor tap = is_activated ? at::randn(shape).relu() : at::randn(shape);
      taps.push_back(shape.size() == 4 ? tap.contiguous(at::MemoryFormat::ChannelsLast) : tap);
    }
  }
  return taps;
}

host::Outputs random_outputs(const std::vector<std::string>& binding) {
  return test::outputs_of(at::randn({kBatch, kClasses}) * 3, random_taps(binding));
}

/// Operators that were called on this thread, in whatever depth.
thread_local int64_t operator_count = 0;
std::unique_ptr<at::ObserverContext> count_operator(const at::RecordFunction&) {
  ++operator_count;
  return nullptr;
}

/// A strategy's loss and its direct version, on the same tensors.
class Contest {
 public:
  using Loss = std::function<at::Tensor()>;

  Contest(const host::ComponentInfo& info, const std::function<Direct(const Own&)>& make)
      : rig_(info.id, {}, at::kFloat) {
    at::manual_seed(1);
    batch_.student = random_outputs(info.bind_student);
    batch_.teacher = random_outputs(info.bind_teacher);
    rig_.setup(batch_.student, batch_.teacher);
    batch_.labels = rig_.labels;
    find_leaves();
    plugin = [this, inputs = rig_.inputs(batch_.student, batch_.teacher)] {
      return rig_.loss(inputs);
    };
    direct = [this, formula = make(Own(rig_))] { return formula(batch_); };
  }
  Contest(const Contest&) = delete;
  Contest& operator=(const Contest&) = delete;

  void call(const Loss& loss) const {
    for (const at::Tensor& leaf : leaves_) leaf.mutable_grad().reset();
    loss().backward();
  }

  /// Throws: std::runtime_error where the losses or gradients differ.
  void check() {
    const double by_plugin = plugin().item<double>();
    batch_.draws = rig_.draws.seen;
    const double by_hand = direct().item<double>();
    if (!(std::abs(by_plugin - by_hand) <= kLossTolerance * std::abs(by_hand))) {
      throw std::runtime_error("the loss is " + std::to_string(by_plugin) +
                               ", and the direct version's " + std::to_string(by_hand));
    }
    const std::vector<at::Tensor> found = gradients(plugin), wanted = gradients(direct);
    batch_.draws.clear();
    double miss = 0, size = 0;
    for (size_t i = 0; i < leaves_.size(); ++i) {
      miss += (found[i] - wanted[i]).square().sum().item<double>();
      size += wanted[i].square().sum().item<double>();
    }
    if (!(miss <= kGradientTolerance * kGradientTolerance * size)) {
      throw std::runtime_error("the gradient differs from the direct version's by " +
                               std::to_string(std::sqrt(miss / size)) + " of its size");
    }
  }

  Loss plugin, direct;

 private:
  void find_leaves() {
    leaves_ = batch_.student.features;
    leaves_.push_back(batch_.student.logits);
    for (const at::Tensor& tensor : leaves_) tensor.set_requires_grad(true);
    for (const host::Parameter& parameter : rig_.parameters().all())
      if (parameter.trained) leaves_.push_back(parameter.master);
  }

  std::vector<at::Tensor> gradients(const Loss& loss) const {
    call(loss);
    std::vector<at::Tensor> out;
    for (const at::Tensor& leaf : leaves_)
      out.push_back(leaf.grad().defined() ? leaf.grad() : at::zeros_like(leaf));
    return out;
  }

  test::StrategyRig rig_;
  Batch batch_;
  std::vector<at::Tensor> leaves_;  // what gets a gradient
};

/// Seconds a call, over one turn.
double timed(const Contest& contest, const Contest::Loss& loss) {
  const double start = thread_seconds();
  double now = start;
  int calls = 0;
  for (; now - start < kRoundSeconds; now = thread_seconds(), ++calls) contest.call(loss);
  return (now - start) / calls;
}

int64_t operators(const Contest& contest, const Contest::Loss& loss) {
  operator_count = 0;
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(count_operator).scopes({at::RecordScope::FUNCTION}));
  contest.call(loss);
  at::removeCallback(handle);
  return operator_count;
}

/// Prints one row. Throws: what Contest::check throws.
void compare(const host::ComponentInfo& info, const std::function<Direct(const Own&)>& make) {
  Contest contest(info, make);
  contest.check();
  timed(contest, contest.plugin);  // warms up
  timed(contest, contest.direct);
  std::vector<double> by_plugin, by_hand, ratios;
  for (int round = 0; round < kRounds; ++round) {
    const bool plugin_first = round % 2 == 0;
    if (plugin_first) by_plugin.push_back(timed(contest, contest.plugin));
    by_hand.push_back(timed(contest, contest.direct));
    if (!plugin_first) by_plugin.push_back(timed(contest, contest.plugin));
    ratios.push_back(by_plugin.back() / by_hand.back());
  }
  std::printf("%-20s %10.1f %10.1f %6.2f %6ld %6ld\n", info.id.c_str(), median(by_plugin) * 1e6,
              median(by_hand) * 1e6, median(ratios), operators(contest, contest.plugin),
              operators(contest, contest.direct));
}

/// Whether the strategies of these names, or all if there are none, could be compared.
bool compare_all(const std::vector<std::string>& names) {
  Directs directs = logits_directs();
  directs.merge(feature_directs());
  directs.merge(relational_directs());
  size_t compared = 0, failed = 0;
  std::printf("%-20s %10s %10s %6s %13s\n", "strategy", "plugin us", "direct us", "ratio",
              "operators of");
  for (const host::ComponentInfo& info : test::built_plugins().components()) {
    if (info.kind != RETORT_KIND_STRATEGY) continue;
    if (!names.empty() && std::find(names.begin(), names.end(), info.id) == names.end()) continue;
    const auto direct = directs.find(info.id);
    ++compared;
    try {
      if (direct == directs.end()) throw std::runtime_error("no direct version");
      compare(info, direct->second);
    } catch (const c10::Error& error) {
      std::printf("%-20s LibTorch: %s\n", info.id.c_str(), error.what_without_backtrace());
      ++failed;
    } catch (const std::exception& error) {
      std::printf("%-20s %s\n", info.id.c_str(), error.what());
      ++failed;
    }
    std::fflush(stdout);
  }
  if (compared < names.size())
    std::printf("%zu of the names given are of no built strategy\n", names.size() - compared);
  return failed == 0 && compared > 0 && compared >= names.size();
}

}  // namespace
}  // namespace retort::bench

int main(int argc, char** argv) {
  retort::host::keep_memory();  // as the program does
  at::set_num_threads(1);
  return retort::bench::compare_all({argv + 1, argv + argc}) ? 0 : 1;
}
