#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/bridge/lent_tensors.hpp"
#include "framework/bridge/parameter_set.hpp"
#include "framework/bridge/undeclared.hpp"
#include "framework/plugin/call_plugin.hpp"

namespace retort::host {

/// Which function of a component runs.
enum class PluginFunction { Create, Build, Forward, Setup, Loss, AfterBackward, Data };

/// "build", "forward", "loss" ...: the name of the plugin's function.
const char* function_name(PluginFunction function);

/// The named intermediates that one forward pass published.
class Taps {
 public:
  /// Keeps only taps of these names.
  explicit Taps(std::vector<std::string> wanted) : wanted_(std::move(wanted)) {}
  /// Keeps every tap.
  Taps() : all_(true) {}

  bool wants(std::string_view name) const;
  /// The first dimension that every tap of the pass must have.
  void expect_batch(int64_t batch) { batch_ = batch; }
  /// Throws: PluginError for a name that is no tap's, or published before, and for a tensor that is not
  ///         floating point; ShapeError for one whose first dimension is not the batch.
  void publish(const char* name, const at::Tensor& tensor);
  const at::Tensor* find(const std::string& name) const;
  const std::vector<std::pair<std::string, at::Tensor>>& entries() const { return entries_; }

 private:
  std::vector<std::string> wanted_;
  bool all_ = false;
  int64_t batch_ = -1;  // not told
  std::vector<std::pair<std::string, at::Tensor>> entries_;
};

/// Whether a name of a tap is one that the host gives a meaning itself: the logits, or a group.
bool is_host_tap(std::string_view name);

/// Counts what passes through the door.
struct Recorder {
  int64_t multiply_adds = 0;
  int64_t operators = 0;
};

/// Numbers that a strategy logged since the last reading; their mean is an epoch's metric.
class MetricSink {
 public:
  void add(const std::string& name, const at::Tensor& value);
  /// Waits for the device once a metric, and starts anew.
  std::vector<std::pair<std::string, double>> take_means();

  struct Entry {
    std::string name;
    at::Tensor sum;
    int64_t count;
  };
  /// For a checkpoint within an epoch.
  const std::vector<Entry>& entries() const { return entries_; }
  /// The same with sums of their own, which later values leave alone.
  std::vector<Entry> copy() const;
  void restore(std::vector<Entry> entries) { entries_ = std::move(entries); }

 private:
  std::vector<Entry> entries_;
};

/// Named random draws of a strategy that is probed: those given instead of being drawn, and all that
/// it asked for.
struct Draws {
  std::map<std::string, at::Tensor> given;
  std::map<std::string, at::Tensor> seen;
};

/// What the host knows while a function of a plugin runs on this thread.
struct Scope {
  const ComponentInfo* component = nullptr;
  std::string instance;  // "teacher", "student", or the name of the transfer
  PluginFunction function = PluginFunction::Create;
  int64_t step = -1;
  at::Device device = at::kCPU;
  at::ScalarType float_type = at::kFloat;
  uint64_t seed = 0;
  bool training = false;
  ParameterSet* parameters = nullptr;
  Taps* taps = nullptr;
  Recorder* recorder = nullptr;
  MetricSink* metrics = nullptr;
  Draws* draws = nullptr;
  LentTensors lent;                // for the call that runs
  std::vector<std::string> drawn;  // the names of the draws of this step
  // What the door said last, where the machine was to blame (memory, a disk): the plugin's own error
  // is then the machine's too.
  std::string machine_failure;
  UndeclaredOperators undeclared;
  int64_t warnings_left_out = 0;  // by the call that runs, since it gave too many

  /// Whether what runs may wait for the device: a loss only if its strategy says so.
  bool may_wait() const {
    return function != PluginFunction::Loss || component == nullptr ||
           (component->needs & RETORT_NEED_SYNC) != 0;
  }
  /// The call of a function of the component, as in "loss()". Of functions that each step calls the
  /// first few calls are watched.
  PluginCall call(const char* name);

 private:
  const PluginName* name_ = nullptr;
  int watched_calls_ = 6;
};

/// The scope of the plugin function that runs on this thread, or null.
Scope* current_scope();

/// Enters a plugin: sets the thread's scope, and on the way out restores it and the gradient mode.
class ScopeEntry {
 public:
  explicit ScopeEntry(Scope& scope);
  ~ScopeEntry();
  ScopeEntry(const ScopeEntry&) = delete;
  ScopeEntry& operator=(const ScopeEntry&) = delete;

 private:
  Scope* previous_;
  bool grad_mode_;
};

/// Throws an EnvironmentError in place of a plugin's failure that only passed on the machine's.
void throw_if_of_machine(const Scope& scope, const PluginError& failure);

/// Tells how many warnings of the call that ended were left out, and forgets them.
void tell_left_out_warnings(Scope& scope);

/// Calls a function of the scope's plugin within it; see call_plugin of a PluginCall.
/// Inputs: name, as in "loss()"; function, called with a retort_error, returns a retort_code.
template <class Function>
void call_plugin(Scope& scope, const char* name, Function&& function) {
  const ScopeEntry entry(scope);
  try {
    call_plugin(scope.call(name), std::forward<Function>(function));
  } catch (const PluginError& failure) {
    throw_if_of_machine(scope, failure);
    throw;
  }
  scope.undeclared.warn(*scope.component);
  if (scope.warnings_left_out > 0) tell_left_out_warnings(scope);
}

/// "loss(), step 12" for a message.
std::string where_text(const Scope& scope);

}  // namespace retort::host
