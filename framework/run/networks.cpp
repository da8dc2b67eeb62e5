#include "framework/run/networks.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "framework/config/component.hpp"
#include "framework/config/node.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

struct Blamed {
  Place place;
  std::string subject;
};

bool starts_with_name(std::string_view text, const std::string& name) {
  return text.starts_with(name + " = ");
}

/// The exported program; of a plugin's model the option that its refusal begins with, as in
/// "... in build(): depth = 9; ...", or else the key that names the model.
Blamed find_blamed(const NetworkConfig& config, const std::string& refusal) {
  const std::string& section = config.key;
  const ComponentChoice& choice = config.model;
  if (!config.program.file.empty()) {
    return {config.program.file_place,
            section + ".file " + config::quote_text(config.program.file.string())};
  }
  const std::string call = "build(): ";
  const size_t at = refusal.find(call);
  for (size_t i = 0; at != std::string::npos && i < choice.option_places.size(); ++i) {
    const OptionInfo& option = choice.info.options[i];
    if (!starts_with_name(std::string_view(refusal).substr(at + call.size()), option.name))
      continue;
    return {choice.option_places[i],
            section + "." + option.name + " = " + config::write_option(option, choice.options[i])};
  }
  return {choice.place, section + ".model " + config::quote_text(choice.info.id)};
}

/// Makes the networks of one session and keeps what fails.
class NetworkMaker {
 public:
  NetworkMaker(const Session& session, Failures& failures)
      : session_(session), failures_(failures) {}

  Networks make() {
    const Experiment& experiment = session_.experiment();
    for (const auto* configs : {&experiment.teachers, &experiment.students})
      for (const NetworkConfig& config : *configs)
        networks_.by_name[config.name] = make_network(config);
    const std::string batch = std::to_string(experiment.data.batch_size);
    failures_.attempt(experiment.data.dataset.place, "data.batch_size = " + batch,
                      [&] { shape_ = session_.shape(); });
    for (const TransferConfig& transfer : experiment.transfers)
      networks_.transfers.push_back(make_transfer(transfer));
    for (const PhaseConfig& phase : experiment.phases) check_learners(phase);
    return std::move(networks_);
  }

 private:
  std::unique_ptr<Network> make_network(const NetworkConfig& config) {
    std::unique_ptr<Network> network;
    try {
      network = session_.build(config);
    } catch (const Error& refusal) {
      const Blamed blamed = find_blamed(config, refusal.what());
      failures_.attempt(blamed.place, blamed.subject, [] { throw; });
      return nullptr;
    }
    const std::string model = config.key + ".model " + config::quote_text(config.model.info.id);
    if (!failures_.attempt(config.model.place, model, [&] { network->profile(); })) return nullptr;
    if (config.weights) {
      failures_.attempt(config.weights_place,
                        config.key + ".weights " + config::quote_text(config.weights->string()),
                        [&] { session_.load(*network, config); });
    }
    return network;
  }

  Network* find_network(const std::string& name) const {
    const auto found = networks_.by_name.find(name);
    return found == networks_.by_name.end() ? nullptr : found->second.get();
  }

  std::shared_ptr<Transfer> make_transfer(const TransferConfig& config) {
    const std::string subject =
        config.key + ".strategy " + config::quote_text(config.strategy.info.id);
    std::shared_ptr<Transfer> transfer;
    bool good = failures_.attempt(config.strategy.place, subject,
                                  [&] { transfer = session_.make_transfer(config); });
    Network* const student = find_network(config.student);
    Network* const teacher = find_teacher(config);
    good &= check_taps(student, config.bind_student, config.key + ".bind.student",
                       config.bind_student_place);
    good &= check_taps(teacher, config.bind_teacher, config.key + ".bind.teacher",
                       config.bind_teacher_place);
    const bool built =
        student != nullptr && (teacher != nullptr || !session_.experiment().has_teacher());
    if (!good || !built || !shape_) return transfer;
    LiveNetwork of_student(*student);
    std::optional<LiveNetwork> of_teacher;
    if (teacher != nullptr) of_teacher.emplace(*teacher);
    failures_.attempt(config.strategy.place, subject, [&] {
      transfer->setup(session_.shape_for(config), of_student, of_teacher ? &*of_teacher : nullptr);
    });
    return transfer;
  }

  /// The one whose taps are bound: also of a transfer that needs none, where the experiment has one.
  Network* find_teacher(const TransferConfig& config) const {
    const Experiment& experiment = session_.experiment();
    if (!config.teachers.empty()) return find_network(config.teachers.front());
    return experiment.has_teacher() ? find_network(experiment.teachers.front().name) : nullptr;
  }

  /// What a phase learns up to a tap.
  void check_learners(const PhaseConfig& phase) {
    for (size_t i = 0; i < phase.learn.size(); ++i) {
      const LearnerConfig& learner = phase.learn[i];
      if (learner.up_to.empty()) continue;
      const std::string named = learner.student + ":" + learner.up_to;
      check_taps(find_network(learner.student), {learner.up_to},
                 phase.key + ".learn " + config::quote_text(named), learner.place);
    }
  }

  bool check_taps(Network* network, const std::vector<std::string>& taps, const std::string& key,
                  const Place& place) {
    bool good = true;
    for (const std::string& tap : taps) {
      if (network == nullptr) break;
      good &= failures_.attempt(place, key, [&] { network->resolve_taps({tap}, key, place); });
    }
    return good;
  }

  const Session& session_;
  Failures& failures_;
  Networks networks_;
  std::optional<RunShape> shape_;
};

}  // namespace

Network& Networks::at(const std::string& name) const {
  const auto found = by_name.find(name);
  if (found == by_name.end() || !found->second)
    throw std::logic_error("the network " + name + " was not made");
  return *found->second;
}

Networks make_networks(const Session& session) {
  Failures failures;
  Networks networks = NetworkMaker(session, failures).make();
  failures.throw_if_any();
  return networks;
}

void collect_failures_of_networks(const Session& session, Failures& failures) {
  NetworkMaker(session, failures).make();
}

}  // namespace retort::host
