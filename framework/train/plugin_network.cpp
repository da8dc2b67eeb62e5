#include "framework/train/plugin_network.hpp"

#include <utility>

#include "framework/bridge/door.hpp"
#include "framework/bridge/handle.hpp"

namespace retort::host {
namespace {

at::Tensor take(retort_value value) {
  at::Tensor tensor = tensor_of(value.as.tensor);
  host_table().release(value.as.tensor);
  return tensor;
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

PluginNetwork::PluginNetwork(std::string role, const NetworkConfig& config, const InputShape& input,
                             const Placement& placement, uint64_t seed)
    : Network(std::move(role), config, input, placement, seed),
      instance_(std::make_unique<Instance>(Library::open(config.model.info.file, &host_table()),
                                           choice().info, choice().options)),
      functions_(&instance_->interface<retort_model_interface>(RETORT_MODEL_INTERFACE)) {
  scope_.component = &component();
  scope_.instance = this->role();
  scope_.device = placement.device;
  scope_.seed = seed;
  scope_.parameters = &parameters();
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

Outputs PluginNetwork::run(const at::Tensor& x, Taps& taps, PassMode mode, Recorder* recorder) {
  parameters().begin_pass(placement().bf16);
  scope_.function = PluginFunction::Forward;
  scope_.step = step();
  scope_.training = mode == PassMode::Train;
  const PassOfScope pass(scope_, taps, recorder);
  const at::Tensor input = placement().bf16 ? x.to(at::kBFloat16) : x;
  scope_.lent.add(input);
  taps.expect_batch(x.size(0));
  const retort_value value = borrowed_value(input);
  retort_value logits{};
  call_plugin(scope_, "forward()", [&](retort_error* error) {
    return functions_->forward(instance_->self(), &value, &logits, error);
  });
  Outputs outputs;
  if (logits.tag == RETORT_TAG_TENSOR) outputs.logits = as_float(take(logits));
  return outputs;
}

std::vector<std::string> PluginNetwork::stages() {
  std::vector<std::string> found;
  for (int number = 1; publishes("layer" + std::to_string(number)); ++number)
    found.push_back("layer" + std::to_string(number));
  return found;
}

}  // namespace retort::host
