#include "framework/train/network.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/config/component.hpp"
#include "framework/config/diagnostics.hpp"
#include "framework/plugin/built_in.hpp"
#include "framework/train/exported_network.hpp"
#include "framework/train/plugin_network.hpp"

namespace retort::host {

at::Tensor as_float(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kBFloat16 ? tensor.to(at::kFloat) : tensor;
}

std::unique_ptr<Network> build_network(std::string role, const NetworkConfig& config,
                                       const InputShape& input, const Placement& placement,
                                       uint64_t seed) {
  if (is_exported(config.model.info))
    return std::make_unique<ExportedNetwork>(std::move(role), config, input, placement, seed);
  return std::make_unique<PluginNetwork>(std::move(role), config, input, placement, seed);
}

Network::Network(std::string role, const NetworkConfig& config, const InputShape& input,
                 const Placement& placement, uint64_t seed)
    : role_(std::move(role)),
      choice_(config.model),
      input_(input),
      placement_(placement),
      seed_(seed),
      parameters_(seed, role_, placement.device) {}

std::string Network::where() const {
  return choice_.info.id + " " + choice_.info.version + " (" + choice_.info.file.string() + "): ";
}

void Network::set_pass(int64_t step, const std::string& view) {
  step_ = step;
  view_ = view;
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

void Network::check_logits(const at::Tensor& logits, int64_t n, PassMode mode) const {
  if (!logits.defined())
    throw PluginError(where() + "forward() returns no tensor; it must return the logits");
  const std::vector<int64_t> wanted = {n, input_.class_count};
  if (logits.sizes() != at::IntArrayRef(wanted)) {
    throw ShapeError(where() + "forward() returns logits of shape " + shape_text(logits.sizes()) +
                     "; they must be " + shape_text(wanted) + ", the batch and the classes");
  }
  if (!logits.is_floating_point()) {
    throw PluginError(where() + "forward() returns logits of type " +
                      c10::toString(logits.scalar_type()) +
                      "; they must be floating-point numbers, as the input is");
  }
  if (mode == PassMode::Train && c10::GradMode::is_enabled() && !logits.requires_grad()) {
    throw PluginError(where() + "forward() returns logits without a gradient: none of its " +
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
  throw ShapeError(where() + "forward()" + (step_ < 0 ? "" : ", step " + std::to_string(step_)) +
                   " publishes \"" + tap + "\" as " + shape_text(found) +
                   ", and for one image of zeros as " + shape_text(told) +
                   "; the shape of a sample's tap may not change");
}

Outputs Network::forward(const at::Tensor& x, const std::vector<std::string>& taps, PassMode mode) {
  Taps published(taps);
  Outputs outputs = run(x, published, mode, nullptr);
  check_logits(outputs.logits, x.size(0), mode);
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
  const int64_t n = profile_batch();
  const at::Tensor zeros =
      at::zeros({n, input_.channels, input_.height, input_.width},
                at::TensorOptions().dtype(at::kFloat).device(placement_.device));
  const Outputs outputs = run(zeros, all, PassMode::Evaluate, &recorder);
  check_logits(outputs.logits, n, PassMode::Evaluate);

  profile_ = std::make_unique<NetworkProfile>();
  profile_->parameters = parameters_.parameter_count();
  profile_->multiply_adds = recorder.multiply_adds / n;
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    profile_->taps.emplace_back(name, tensor.sizes().vec());
    profile_->taps.back().second[0] = 1;
  };
  for (const auto& [name, tensor] : all.entries()) add(name, tensor);
  add("logits", outputs.logits);
  return *profile_;
}

bool Network::publishes(const std::string& tap) {
  const auto& known = profile().taps;
  return std::any_of(known.begin(), known.end(),
                     [&](const auto& entry) { return entry.first == tap; });
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
  constexpr size_t kNamesShown = 40;
  std::vector<std::string> names;
  for (const auto& [name, shape] : profile().taps) names.push_back(name);
  const std::string near = nearest(tap, names);
  const size_t count = names.size();
  names.resize(std::min(count, kNamesShown));
  const std::string at = place_text(place);
  const std::string subject = key + " \"" + tap + "\"";
  std::string what = description() + " has: " + join(names);
  if (count > kNamesShown) {
    what += " and " + std::to_string(count - kNamesShown) + " more (retort inspect " +
            choice_.info.file.string() + ")";
  }
  if (!near.empty()) what += "; did you mean \"" + near + "\"?";
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
