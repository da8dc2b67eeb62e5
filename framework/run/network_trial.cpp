#include "framework/run/network_trial.hpp"

#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"

namespace retort::host {
namespace {

constexpr int64_t kMostSamples = 8;
// Of the largest logit. Other batch sizes take other kernels, which sum in another order: 1e-6 of it in
// float32, 1e-2 in bfloat16.
constexpr double kRounding = 1e-3, kRoundingBf16 = 0.1;

std::string model_text(Network& network) {
  const ComponentInfo& model = network.component();
  return network.role() + ".model \"" + model.id + "\": " + model.id + " " + model.version + " (" +
         model.file.string() + ")";
}

bool are_equal(const at::Tensor& samples) {
  return samples.equal(samples.narrow(0, 0, 1).expand_as(samples));
}

/// Tries one network.
class NetworkTrial {
 public:
  NetworkTrial(const Participant& participant, const Batch& batch)
      : source_(*participant.outputs),
        field_(participant.views.front().field),
        network_(participant.network()),
        batch_(batch) {}

  std::vector<std::string> run() {
    const at::Tensor logits = make_logits(batch_);
    // What is not finite is told elsewhere, and differs from itself.
    if (!logits.isfinite().all().item().toBool()) return {};
    if (network_.placement().device.is_cpu()) compare_with_second_pass(logits);
    compare_with_parts(logits);
    compare_samples(logits);
    return std::move(warnings_);
  }

 private:
  at::Tensor make_logits(const Batch& batch) {
    return source_.make_outputs(batch, {field_}, {}, PassMode::Evaluate, 0).logits;
  }

  void compare_with_second_pass(const at::Tensor& logits) {
    if (make_logits(batch_).equal(logits)) return;
    warnings_.push_back(
        model_text(network_) +
        " gives other logits for the same samples a second time, in evaluation: what it computes "
        "depends on something else, as a clock, rand() or a count of calls, so that neither a run "
        "nor "
        "a resumed one can be repeated; draw through the step, and keep state in buffers");
  }

  void compare_with_parts(const at::Tensor& logits) {
    const int64_t size = batch_.size(), half = size / 2;
    if (half < 1) return;
    const at::Tensor parts = at::cat(
        {make_logits(batch_.narrow(0, half)), make_logits(batch_.narrow(half, size - half))});
    const double most = logits.abs().max().item().toDouble();
    const double difference = parts.sub(logits).abs().max().item().toDouble();
    if (difference <= most * (network_.placement().bf16 ? kRoundingBf16 : kRounding)) return;
    warnings_.push_back(
        fmt::format("{} gives a sample other logits among {} samples than among {}, by up to "
                    "{:.3g} of {:.3g}, in "
                    "evaluation: its accuracy depends on train.eval_batch_size; in evaluation take "
                    "no statistics "
                    "of the batch",
                    model_text(network_), size, half, difference, most));
  }

  void compare_samples(const at::Tensor& logits) {
    const at::Tensor& inputs = batch_.at(field_);
    if (!are_equal(logits) || are_equal(inputs)) return;
    warnings_.push_back(model_text(network_) + " gives the same logits for " +
                        std::to_string(batch_.size()) +
                        " samples: look for an input that is not used, or start values of 0");
  }

  OutputSource& source_;
  const std::string& field_;
  Network& network_;
  const Batch& batch_;
  std::vector<std::string> warnings_;
};

}  // namespace

std::vector<std::string> try_networks(const Phase& phase, const Batch& batch) {
  const c10::NoGradGuard without_gradients;
  const Batch few = batch.narrow(0, std::min(kMostSamples, batch.size()));
  std::vector<std::string> warnings;
  for (const Participant& participant : phase.participants) {
    const bool is_seen = batch.find(participant.views.front().field) != nullptr;
    if (participant.outputs->network() == nullptr || !is_seen) continue;
    for (std::string& warning : NetworkTrial(participant, few).run())
      warnings.push_back(std::move(warning));
  }
  return warnings;
}

}  // namespace retort::host
