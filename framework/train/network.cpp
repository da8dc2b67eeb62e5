#include "framework/train/network.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <string_view>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/bridge/door.hpp"
#include "framework/bridge/handle.hpp"
#include "framework/config/component.hpp"
#include "framework/config/diagnostics.hpp"

namespace retort::host {
namespace {

at::Tensor take(retort_value value) {
  at::Tensor tensor = tensor_of(value.as.tensor);
  host_table().release(value.as.tensor);
  return tensor;
}

at::Tensor as_float(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kBFloat16 ? tensor.to(at::kFloat) : tensor;
}

/// Lends a scope what one forward pass writes to.
class PassOfScope {
 public:
  PassOfScope(Scope& scope, Taps& taps, Recorder* recorder) : scope_(scope) {
    scope_.taps = &taps;
    scope_.recorder = recorder;
  }
  ~PassOfScope() {
    scope_.taps = nullptr;
    scope_.recorder = nullptr;
  }
  PassOfScope(const PassOfScope&) = delete;
  PassOfScope& operator=(const PassOfScope&) = delete;

 private:
  Scope& scope_;
};

}  // namespace

Network::Network(std::string role, const NetworkConfig& config, const InputShape& input,
                 const Placement& placement, uint64_t seed)
    : role_(std::move(role)),
      choice_(config.model),
      input_(input),
      placement_(placement),
      parameters_(seed, role_, placement.device),
      instance_(std::make_unique<Instance>(Library::open(config.model.info.file, &host_table()),
                                           choice_.info, choice_.options)),
      functions_(&instance_->interface<retort_model_interface>(RETORT_MODEL_INTERFACE)) {
  scope_.component = &choice_.info;
  scope_.instance = role_;
  scope_.device = placement.device;
  scope_.seed = seed;
  scope_.parameters = &parameters_;
  scope_.function = PluginFunction::Build;

  retort_model_build build{};
  build.struct_size = sizeof(build);
  build.class_count = input.class_count;
  build.channels = input.channels;
  build.height = input.height;
  build.width = input.width;
  call_plugin(scope_, "build()", [&](retort_error* error) {
    return functions_->build(instance_->self(), &build, error);
  });
  apply_memory_format();
}

void Network::apply_memory_format() {
  if (!placement_.channels_last) return;
  for (const Parameter& parameter : parameters_.all()) {
    // set_data keeps the tensor that plugins and optimizer hold.
    if (parameter.master.dim() == 4) {
      parameter.master.set_data(parameter.master.contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
}

Outputs Network::run(const at::Tensor& x, Taps& taps, PassMode mode, Recorder* recorder) {
  parameters_.begin_pass(placement_.bf16);
  scope_.function = PluginFunction::Forward;
  scope_.training = mode == PassMode::Train;
  const PassOfScope pass(scope_, taps, recorder);
  const at::Tensor input = placement_.bf16 ? x.to(at::kBFloat16) : x;
  scope_.lent.add(input);
  taps.expect_batch(x.size(0));
  const retort_value value = borrowed_value(input);
  retort_value logits{};
  call_plugin(scope_, "forward()", [&](retort_error* error) {
    return functions_->forward(instance_->self(), &value, &logits, error);
  });
  Outputs outputs;
  if (logits.tag == RETORT_TAG_TENSOR) outputs.logits = as_float(take(logits));
  check_logits(outputs.logits, x.size(0));
  return outputs;
}

/// That they can be logits, and where the network trains that something of it can learn.
void Network::check_logits(const at::Tensor& logits, int64_t n) const {
  const std::string& id = choice_.info.id;
  const auto where = [&] {
    return id + " " + choice_.info.version + " (" + choice_.info.file.string() + "): forward() ";
  };
  if (!logits.defined()) {
    throw PluginError(where() + "returns no tensor; it must return the logits");
  }
  const std::vector<int64_t> wanted = {n, input_.class_count};
  if (logits.sizes() != at::IntArrayRef(wanted)) {
    throw ShapeError(where() + "returns logits of shape " + shape_text(logits.sizes()) +
                     "; they must be " + shape_text(wanted) + ", the batch and the classes");
  }
  if (!logits.is_floating_point()) {
    throw PluginError(where() + "returns logits of type " + c10::toString(logits.scalar_type()) +
                      "; they must be floating-point numbers, as the input is");
  }
  if (scope_.training && c10::GradMode::is_enabled() && !logits.requires_grad()) {
    throw PluginError(where() + "returns logits without a gradient: none of its " +
                      std::to_string(parameters_.all().size()) +
                      " parameters reaches them, so that it cannot be trained; look for detach or "
                      "NoGrad, and declare parameters in build()");
  }
}

/// That a sample's tap has the shape that strategies were told in setup().
void Network::check_tap(const std::string& tap, const at::Tensor& feature) const {
  if (profile_ == nullptr) return;
  const auto known = std::find_if(profile_->taps.begin(), profile_->taps.end(),
                                  [&](const auto& entry) { return entry.first == tap; });
  if (known == profile_->taps.end()) return;
  const at::IntArrayRef told(known->second), found = feature.sizes();
  if (told.size() == found.size() && told.slice(1) == found.slice(1)) return;
  throw ShapeError(choice_.info.id + " " + choice_.info.version + " (" +
                   choice_.info.file.string() + "): " + where_text(scope_) + " publishes \"" + tap +
                   "\" as " + shape_text(found) + ", and for one image of zeros as " +
                   shape_text(told) + "; the shape of a sample's tap may not change");
}

Outputs Network::forward(const at::Tensor& x, const std::vector<std::string>& taps, PassMode mode) {
  Taps published(taps);
  Outputs outputs = run(x, published, mode, nullptr);
  outputs.features.reserve(taps.size());
  for (const std::string& tap : taps) {
    const at::Tensor* feature = published.find(tap);
    if (tap == "logits") {
      outputs.features.push_back(outputs.logits);
    } else if (feature != nullptr) {
      check_tap(tap, *feature);
      outputs.features.push_back(as_float(*feature));
    } else {
      refuse_tap(tap, role_ + " tap", {});
    }
  }
  return outputs;
}

const NetworkProfile& Network::profile() {
  if (profile_ != nullptr) return *profile_;
  const c10::NoGradGuard without_gradients;
  Taps all;
  Recorder recorder;
  const at::Tensor zeros =
      at::zeros({1, input_.channels, input_.height, input_.width},
                at::TensorOptions().dtype(at::kFloat).device(placement_.device));
  const Outputs outputs = run(zeros, all, PassMode::Evaluate, &recorder);

  profile_ = std::make_unique<NetworkProfile>();
  profile_->parameters = parameters_.parameter_count();
  profile_->multiply_adds = recorder.multiply_adds;
  for (const auto& [name, tensor] : all.entries())
    profile_->taps.emplace_back(name, tensor.sizes().vec());
  profile_->taps.emplace_back("logits", outputs.logits.sizes().vec());
  return *profile_;
}

bool Network::publishes(const std::string& tap) {
  const auto& known = profile().taps;
  return std::any_of(known.begin(), known.end(),
                     [&](const auto& entry) { return entry.first == tap; });
}

std::vector<std::string> Network::stages() {
  std::vector<std::string> found;
  for (int number = 1; publishes("layer" + std::to_string(number)); ++number)
    found.push_back("layer" + std::to_string(number));
  return found;
}

std::vector<std::string> Network::resolve_taps(const std::vector<std::string>& names,
                                               const std::string& key, const Place& place) {
  constexpr std::string_view kPreact = ".preact";
  std::vector<std::string> resolved;
  for (const std::string& name : names) {
    const bool preact = name.size() > kPreact.size() && name.ends_with(kPreact);
    const std::string group = preact ? name.substr(0, name.size() - kPreact.size()) : name;
    std::vector<std::string> taps = {group};
    if (group == "stages") taps = stages();
    if (group == "last_map" && !stages().empty()) taps = {stages().back()};
    if (taps.empty()) refuse_tap(name, key, place);
    for (const std::string& tap : taps) {
      resolved.push_back(preact ? tap + std::string(kPreact) : tap);
      if (!publishes(resolved.back())) refuse_tap(name, key, place);
    }
  }
  return resolved;
}

void Network::refuse_tap(const std::string& tap, const std::string& key, const Place& place) {
  std::vector<std::string> names;
  for (const auto& [name, shape] : profile().taps) names.push_back(name);
  const std::string at = place_text(place);
  const std::string subject = key + " \"" + tap + "\"";
  const std::string what = description() + " has: " + join(names);
  throw MistakesError(at + (at.empty() ? "" : "  ") + subject + "  " + what,
                      {{place, subject, what, ""}});
}

std::vector<int64_t> Network::tap_shape(const std::string& tap, int64_t n) {
  for (const auto& [name, shape] : profile().taps) {
    if (name != tap) continue;
    std::vector<int64_t> sizes = shape;
    if (!sizes.empty()) sizes[0] = n;
    return sizes;
  }
  refuse_tap(tap, role_ + " tap", {});
}

std::string Network::description() const { return describe(choice_); }

}  // namespace retort::host
