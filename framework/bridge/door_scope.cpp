// The functions of the host's table that work on what belongs to the component that runs: its
// parameters, draws, taps and metrics.
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <spdlog/fmt/fmt.h>

#include <cfloat>
#include <cmath>

#include "framework/bridge/checks.hpp"
#include "framework/bridge/door_answer.hpp"
#include "framework/bridge/draw.hpp"
#include "framework/bridge/handle.hpp"
#include "framework/bridge/operators.hpp"
#include "framework/bridge/warnings.hpp"

namespace retort::host::door {
namespace {

[[noreturn]] void refuse_phase(const Scope& scope, const std::string& what,
                               const std::string& remedy) {
  throw PluginError(what + " in " + function_name(scope.function) + "(); " + remedy);
}

int32_t declare(const retort_parameter_spec* spec, bool trained, int64_t* slot,
                retort_error* error) {
  return answer(error, [&] {
    const Scope& running = running_scope();
    if ((running.function != PluginFunction::Build && running.function != PluginFunction::Setup) ||
        running.parameters == nullptr) {
      refuse_phase(running, "a parameter is declared",
                   "declare it in Model::build or Strategy::setup");
    }
    if (required(spec, "a declaration").struct_size < sizeof(retort_parameter_spec)) {
      throw PluginError("a parameter declaration of " + std::to_string(spec->struct_size) +
                        " bytes; this host wants " + std::to_string(sizeof(retort_parameter_spec)));
    }
    required(slot, "the slot of a parameter") = running.parameters->declare(*spec, trained);
  });
}

/// A number or a tensor of one element, as a [] tensor.
at::Tensor metric_value(const char* name, const retort_value& value) {
  if (value.tag == RETORT_TAG_REAL || value.tag == RETORT_TAG_INT) {
    const double number =
        value.tag == RETORT_TAG_REAL ? value.as.real : static_cast<double>(value.as.integer);
    if (std::isfinite(number) && std::abs(number) > FLT_MAX) {
      throw PluginError(
          fmt::format("log(\"{}\") is given {:g}; a metric is a float32, so it must be at most "
                      "{:.2g}: scale it, or log its logarithm",
                      name, number, FLT_MAX));
    }
    return at::full({}, number, at::TensorOptions().dtype(at::kFloat));
  }
  const at::Tensor tensor = tensor_of_value(value);
  if (!tensor.defined() || tensor.numel() != 1) {
    throw ShapeError("log(\"" + std::string(name) + "\") takes a tensor of one element, not of " +
                     std::to_string(tensor.defined() ? tensor.numel() : 0));
  }
  return tensor.reshape({});
}

}  // namespace

int32_t declare_parameter(const retort_parameter_spec* spec, int64_t* slot, retort_error* error) {
  return declare(spec, true, slot, error);
}

int32_t declare_buffer(const retort_parameter_spec* spec, int64_t* slot, retort_error* error) {
  return declare(spec, false, slot, error);
}

int32_t draw(const retort_draw_spec* spec, retort_tensor* out, retort_error* error) {
  return answer(error, [&] {
    required(out, "the tensor of a draw") =
        owned_handle(draw_tensor(running_scope(), required(spec, "a draw")));
  });
}

int32_t publish(const char* tap, const retort_value* tensor, retort_error* error) {
  return answer(error, [&] {
    const Scope& running = running_scope();
    if (running.function != PluginFunction::Forward) {
      refuse_phase(running, "a tap is published", "publish it in Model::forward");
    }
    if (running.taps == nullptr) return;
    running.taps->publish(tap, tensor_of_value(required(tensor, "the tensor of a tap")));
  });
}

int32_t wants_tap(const char* tap) {
  const Scope* running = current_scope();
  const bool wanted =
      running != nullptr && running->taps != nullptr && tap != nullptr && running->taps->wants(tap);
  return wanted ? 1 : 0;
}

int32_t training() {
  const Scope* running = current_scope();
  return running != nullptr && running->training ? 1 : 0;
}

int32_t log_metric(const char* name, const retort_value* value, retort_error* error) {
  return answer(error, [&] {
    const Scope& running = running_scope();
    if (running.function != PluginFunction::Loss &&
        running.function != PluginFunction::AfterBackward) {
      refuse_phase(running, "a metric is logged", "a strategy logs in loss() and after_backward()");
    }
    check_name("metric", name);
    const at::Tensor number = metric_value(name, required(value, "the value of a metric"));
    if (running.metrics != nullptr) running.metrics->add(running.instance + "/" + name, number);
  });
}

int32_t warn(const char* text, retort_error* error) {
  return answer(error, [&] {
    Scope& running = running_scope();
    if (running.function != PluginFunction::Setup && running.function != PluginFunction::Build) {
      refuse_phase(running, "a warning is given", "give it in Model::build or Strategy::setup");
    }
    tell_warning(running, &required(text, "the text of a warning"));
  });
}

}  // namespace retort::host::door
