#include "framework/bridge/scope.hpp"

#include <c10/core/GradMode.h>

#include <algorithm>

#include "framework/base/text.hpp"
#include "framework/bridge/checks.hpp"
#include "framework/bridge/dtype.hpp"

namespace retort::host {
namespace {

thread_local Scope* running = nullptr;

/// The logits, and the groups of taps that the host resolves (Network::resolve_taps).
constexpr std::string_view kHostTaps[] = {"logits", "stages", "stages.preact", "last_map",
                                          "last_map.preact"};

}  // namespace

const char* function_name(PluginFunction function) {
  switch (function) {
    case PluginFunction::Create:
      return "create";
    case PluginFunction::Build:
      return "build";
    case PluginFunction::Forward:
      return "forward";
    case PluginFunction::Setup:
      return "setup";
    case PluginFunction::Loss:
      return "loss";
    case PluginFunction::AfterBackward:
      return "after_backward";
    case PluginFunction::Data:
      return "read";
  }
  return "unknown";
}

bool is_host_tap(std::string_view name) {
  return std::find(std::begin(kHostTaps), std::end(kHostTaps), name) != std::end(kHostTaps);
}

bool Taps::wants(std::string_view name) const {
  return all_ || std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end();
}

void Taps::publish(const char* name, const at::Tensor& tensor) {
  const std::string tap = &required(name, "the name of a tap");
  if (!wants(tap)) return;  // a network's profile wants all
  check_name("tap", name);
  const std::string shown = "tap \"" + tap + "\" ";
  if (is_host_tap(tap)) {
    throw PluginError(shown +
                      "has a name that the host gives a meaning itself; publish it under another");
  }
  if (find(tap) != nullptr) {
    throw PluginError(
        shown + "is published twice in one forward pass; give each tensor a name of " + "its own");
  }
  if (!tensor.defined()) throw ShapeError(shown + "is published without a tensor");
  if (!tensor.is_floating_point()) {
    throw PluginError(shown + "is published as " + dtype_text(tensor.scalar_type()) +
                      "; taps are floating point: " +
                      (tensor.is_complex() ? "take its real part or its absolute value"
                                           : "convert it by to(x, Dtype::Float32)"));
  }
  if (batch_ >= 0 && (tensor.dim() == 0 || tensor.size(0) != batch_)) {
    throw ShapeError(shown + "is published with shape " + shape_text(tensor.sizes()) +
                     "; its first dimension must be the batch, here " + std::to_string(batch_));
  }
  entries_.emplace_back(tap, tensor);
}

const at::Tensor* Taps::find(const std::string& name) const {
  for (const auto& [key, tensor] : entries_) {
    if (key == name) return &tensor;
  }
  return nullptr;
}

void MetricSink::add(const std::string& name, const at::Tensor& value) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  if (found == entries_.end()) {
    entries_.push_back({name, value.detach().to(at::kFloat).clone(), 1});
  } else {
    found->sum.add_(value.detach().to(found->sum.device()));
    ++found->count;
  }
}

std::vector<std::pair<std::string, double>> MetricSink::take_means() {
  std::vector<std::pair<std::string, double>> means;
  for (const Entry& entry : entries_) {
    means.emplace_back(entry.name, entry.sum.item().toDouble() / static_cast<double>(entry.count));
  }
  entries_.clear();
  return means;
}

std::vector<MetricSink::Entry> MetricSink::copy() const {
  std::vector<Entry> entries = entries_;
  for (Entry& entry : entries) entry.sum = entry.sum.clone();
  return entries;
}

PluginCall Scope::call(const char* name) {
  if (name_ == nullptr) name_ = &plugin_name(*component);
  const bool each_step = function == PluginFunction::Forward || function == PluginFunction::Loss ||
                         function == PluginFunction::AfterBackward;
  const bool watched = !each_step || watched_calls_ > 0;
  if (each_step && watched) --watched_calls_;
  return {.info = *component,
          .function = name,
          .step = step,
          .watch = watched ? Watch::Process : Watch::FloatingPoint,
          .name = name_};
}

Scope* current_scope() { return running; }

ScopeEntry::ScopeEntry(Scope& scope) : previous_(running), grad_mode_(c10::GradMode::is_enabled()) {
  running = &scope;
  scope.machine_failure.clear();
}

ScopeEntry::~ScopeEntry() {
  running->lent.clear();
  running = previous_;
  c10::GradMode::set_enabled(grad_mode_);
}

void throw_if_of_machine(const Scope& scope, const PluginError& failure) {
  if (scope.machine_failure.empty()) return;
  const std::string text = failure.what();
  const bool told = text.find(scope.machine_failure) != std::string::npos;
  throw EnvironmentError(told ? text : text + " (" + scope.machine_failure + ")");
}

std::string where_text(const Scope& scope) {
  std::string text = std::string(function_name(scope.function)) + "()";
  if (scope.step >= 0) text += ", step " + std::to_string(scope.step);
  return text;
}

}  // namespace retort::host
