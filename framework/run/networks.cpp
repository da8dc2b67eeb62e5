#include "framework/run/networks.hpp"

#include <optional>
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

/// The option that a model's refusal begins with, as in "... in build(): depth = 9; ...", or else the
/// key that names the model.
Blamed find_blamed(const std::string& section, const ComponentChoice& choice,
                   const std::string& refusal) {
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
    Networks networks;
    if (experiment.teacher) networks.teacher = make_network("teacher", *experiment.teacher);
    networks.student = make_network("student", experiment.student);
    const std::string batch = std::to_string(experiment.data.batch_size);
    failures_.attempt(experiment.data.dataset.place, "data.batch_size = " + batch,
                      [&] { shape_ = session_.shape(); });
    for (size_t i = 0; i < experiment.transfers.size(); ++i) {
      networks.transfers.push_back(make_transfer(i, networks));
    }
    return networks;
  }

 private:
  std::unique_ptr<Network> make_network(const std::string& role, const NetworkConfig& config) {
    std::unique_ptr<Network> network;
    try {
      network = session_.build(role, config);
    } catch (const Error& refusal) {
      const Blamed blamed = find_blamed(role, config.model, refusal.what());
      failures_.attempt(blamed.place, blamed.subject, [] { throw; });
      return nullptr;
    }
    const std::string model = role + ".model " + config::quote_text(config.model.info.id);
    if (!failures_.attempt(config.model.place, model, [&] { network->profile(); })) return nullptr;
    if (config.weights) {
      failures_.attempt(config.weights_place,
                        role + ".weights " + config::quote_text(config.weights->string()),
                        [&] { session_.load(*network, config); });
    }
    return network;
  }

  std::shared_ptr<Transfer> make_transfer(size_t number, const Networks& networks) {
    const TransferConfig& config = session_.experiment().transfers[number];
    const std::string key = "transfer[" + std::to_string(number) + "]";
    const std::string subject = key + ".strategy " + config::quote_text(config.strategy.info.id);
    std::shared_ptr<Transfer> transfer;
    bool good = failures_.attempt(config.strategy.place, subject,
                                  [&] { transfer = session_.make_transfer(config); });
    good &= check_taps(networks.student.get(), config.bind_student, key + ".bind.student",
                       config.bind_student_place);
    good &= check_taps(networks.teacher.get(), config.bind_teacher, key + ".bind.teacher",
                       config.bind_teacher_place);
    const bool built = networks.student && (networks.teacher || !session_.experiment().teacher);
    if (!good || !built || !shape_) return transfer;
    LiveNetwork student(*networks.student);
    std::optional<LiveNetwork> teacher;
    if (networks.teacher) teacher.emplace(*networks.teacher);
    failures_.attempt(config.strategy.place, subject, [&] {
      transfer->setup(*shape_, student, teacher ? &*teacher : nullptr, key);
    });
    return transfer;
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
  std::optional<RunShape> shape_;
};

}  // namespace

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
