#include "framework/run/term_trial.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/config/diagnostics.hpp"
#include "framework/run/network_trial.hpp"
#include "framework/run/trial_loss.hpp"
#include "framework/run/trial_passes.hpp"
#include "framework/train/backward.hpp"
#include "framework/train/tensor_copies.hpp"

namespace retort::host {
namespace {

constexpr size_t kMostNames = 5;

std::string named(const std::vector<std::string>& names) {
  if (names.size() <= kMostNames) return join(names);
  const std::vector<std::string> first(names.begin(), names.begin() + kMostNames);
  return join(first) + " and " + std::to_string(names.size() - kMostNames) + " more";
}

/// "student layer2 [32, 16, 4, 4] and teacher layer2 [32, 32, 4, 4]", or the batch where no tap is
/// bound.
std::string bound_text(const Transfer& transfer, const StepView& step) {
  const auto side = [](const std::vector<std::string>& taps, const Outputs& outputs) {
    std::vector<std::string> texts;
    for (size_t i = 0; i < std::min(taps.size(), outputs.features.size()); ++i)
      texts.push_back(taps[i] + " " + shape_text(outputs.features[i].sizes()));
    return join(texts);
  };
  const TransferConfig& config = transfer.config();
  const Outputs &student = step.of(kStudentName), &teacher = step.of(kTeacherName);
  if (student.features.empty()) return "on logits " + shape_text(student.logits.sizes());
  const std::string text = "on student " + side(config.bind_student, student);
  return teacher.features.empty() ? text
                                  : text + " and teacher " + side(config.bind_teacher, teacher);
}

std::string strategy_text(const Transfer& transfer) {
  const ComponentInfo& info = transfer.config().strategy.info;
  return info.id + " " + info.version + " (" + info.file.string() + ")";
}

std::string no_path_text(const Transfer& transfer, const StepView& step) {
  std::string text = strategy_text(transfer) +
                     ": its loss has no gradient path to the student or to parameters of its own, "
                     "so it would teach nothing; ";
  const std::vector<at::Tensor> given = list_tensors(step.of(kStudentName));
  const bool none = std::none_of(given.begin(), given.end(),
                                 [](const at::Tensor& tensor) { return tensor.requires_grad(); });
  return text + (none ? "the model publishes what is bound without a gradient"
                      : "look for detach, NoGrad or a comparison on the way, or for a loss of the "
                        "teacher's tensors alone");
}

std::string nothing_text(double loss, bool teaches_itself) {
  return fmt::format(
      "teaches {}: its loss is {:.4g}, and the gradient of the student's outputs 0{} ",
      teaches_itself ? "the student nothing" : "nothing", loss,
      teaches_itself ? " (only parameters of its own learn)" : "");
}

/// Tries the network and the transfers, one by one, and collects what is found.
class TermTrial {
 public:
  explicit TermTrial(const Phase& phase)
      : phase_(phase), transfers_(phase.transfers()), passes_(phase) {}

  void run() {
    for (const Participant& participant : phase_.participants) {
      if (participant.learns || participant.teaching == PassMode::Train)
        copies_.add(participant.network().parameters(), TensorCopies::Of::Buffers);
    }
    for (Transfer* transfer : transfers_)
      copies_.add(*transfer->parameters(), TensorCopies::Of::All);
    passes_.run(step_);
    warnings = try_networks(phase_, step_.batch);
    for (const Participant* learner : phase_.learners()) {
      judge_network(*learner);
      judge_reach(*learner);
    }
    for (size_t i = 0; i < transfers_.size(); ++i) try_transfer(i);
    copies_.put_back();
    mistakes_.throw_if_any();
  }

  std::vector<std::string> warnings;

 private:
  /// Whether each parameter of a network can learn from something.
  void judge_network(const Participant& learner) {
    const Network& network = learner.network();
    const std::vector<std::string> idle =
        parameters_beyond(passes_.list_given(learner), network.parameters());
    if (idle.empty()) return;
    const ComponentInfo& model = network.component();
    const std::string at = place_text(network.place());
    warnings.push_back(fmt::format(
        "{}{}.model \"{}\": {} {} ({}) has {} parameters that neither its logits nor a bound tap "
        "depends on, so that they stay as they start: {}; look for detach or NoGrad on the way, or "
        "take them out of build()",
        at.empty() ? "" : at + "  ", network.role(), model.id, model.id, model.version,
        model.file.string(), idle.size(), named(idle)));
  }

  /// Whether the terms of this phase reach what they could.
  void judge_reach(const Participant& learner) {
    const ParameterSet& parameters = learner.network().parameters();
    const auto beyond = parameters_beyond(passes_.list_given(learner), parameters);
    std::vector<std::string> missed = parameters_beyond(passes_.list_read(learner), parameters);
    std::erase_if(missed, [&](const std::string& name) {
      return std::find(beyond.begin(), beyond.end(), name) != beyond.end();
    });
    if (missed.empty()) return;
    if (!learner.up_to.empty()) {
      mistakes_.add(
          learner.place,
          "phase \"" + phase_.name + "\", learn \"" + learner.name + ":" + learner.up_to + "\"",
          "no term of the phase reaches that tap, so that " + std::to_string(missed.size()) +
              " parameters before it would stay as they "
              "are: " +
              named(missed) + "; name an earlier tap, or add a term");
      return;
    }
    warnings.push_back(
        fmt::format("phase \"{}\": no term of it reaches {} parameters of \"{}\", which stay as "
                    "they are: {}; say "
                    "so with learn = [\"{}:TAP\"], or add a term that does",
                    phase_.name, missed.size(), learner.name, named(missed), learner.name));
  }

  void try_transfer(size_t i) {
    Transfer& transfer = *transfers_[i];
    const TransferConfig& config = transfer.config();
    const StepView step = passes_.make_view(step_, i);
    const std::string& key = config.key;
    MetricSink* const metrics = transfer.metrics();
    MetricSink unread;
    transfer.set_metrics(&unread);
    try {
      judge(transfer, key, step);
    } catch (const ShapeError& refused) {
      if (config.bind_student.empty()) throw;
      transfer.refuse_binding(refused.what());
    }
    transfer.set_metrics(metrics);
  }

  /// Whether it has weight in some step.
  bool acts(const Transfer& transfer) const {
    const auto steps = static_cast<double>(make_sampler(phase_).batches_per_epoch());
    const auto epochs = static_cast<double>(phase_.train.epochs);
    // A schedule is a line between two points.
    return transfer.weight_at(0) != 0 || transfer.weight_at(epochs - 1 / steps) != 0;
  }

  void judge(Transfer& transfer, const std::string& key, const StepView& step) {
    TrialLoss trial = try_loss(transfer, step);
    const double first = trial.value;
    const double second = try_loss(transfer, step).value;
    if (!trial.teaches_student()) trial = try_later(transfer, step, trial, phase_);
    const TransferConfig& config = transfer.config();
    const std::string subject = key + " \"" + config.name + "\"";
    if (!trial.has_path()) {
      mistakes_.add(config.strategy.place, subject, no_path_text(transfer, step));
      return;
    }
    const std::string at = place_text(config.strategy.place);
    const std::string where =
        (at.empty() ? "" : at + "  ") + subject + ": " + strategy_text(transfer) + " ";
    if (!acts(transfer)) {
      warnings.push_back(where + "has weight 0 in all of the " +
                         std::to_string(phase_.train.epochs) +
                         " epochs, so that it teaches nothing; raise transfer.weight, let it begin "
                         "earlier, or take the transfer out");
    }
    if (first != second && step_.progress.is_cpu() && !std::isnan(first)) {
      warnings.push_back(where +
                         "gives another loss for the same step a second time: what it computes "
                         "depends on something "
                         "else, as a clock, rand() or a count of calls, so that neither a run nor "
                         "a resumed one can "
                         "be repeated; draw through the step, and keep state in buffers that "
                         "after_backward() writes");
    }
    if (!trial.reaches_student) {
      warnings.push_back(where +
                         "teaches the student nothing: its gradient reaches parameters of "
                         "its own alone (" +
                         named(trial.reached) + ")");
    } else if (!trial.teaches_student()) {
      warnings.push_back(where + nothing_text(first, trial.teaches_itself()) +
                         bound_text(transfer, step) +
                         ", in the first step and with other student outputs in the last; bind "
                         "other taps, or take the transfer out");
    }
    if (!trial.unreached.empty()) {
      warnings.push_back(where +
                         "has parameters of its own that its loss does not reach, so that "
                         "they stay as they start: " +
                         named(trial.unreached));
    }
  }

  const Phase& phase_;
  std::vector<Transfer*> transfers_;
  TensorCopies copies_;
  TrialPasses passes_;
  StepView step_;  // without outputs
  Diagnostics mistakes_;
};

}  // namespace

std::vector<std::string> try_terms(const Phase& phase) {
  TermTrial trial(phase);
  trial.run();
  return std::move(trial.warnings);
}

}  // namespace retort::host
