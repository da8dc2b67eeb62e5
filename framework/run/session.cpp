#include "framework/run/session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "framework/bridge/warnings.hpp"
#include "framework/run/check_images.hpp"
#include "framework/run/networks.hpp"
#include "framework/train/device.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

Placement placement_of(const RunConfig& run) {
  Placement placement;
  placement.device = choose_device(run.device);
  placement.bf16 = run.precision == Precision::Bf16;
  placement.channels_last = run.channels_last;
  choose_algorithms(placement.device, run.deterministic);
  return placement;
}

/// Once a session, though a student is made several times.
void warn_of_unused_rules(const NetworkConfig& config) {
  if (!config.weights) return;
  for (const std::string& rule : find_unused_rules(*config.weights, config.rename)) {
    spdlog::warn("{}.rename: {} ({})", config.name, rule, config.weights->string());
  }
}

bool equal(const Normalize& a, const Normalize& b) {
  return a.mean == b.mean && a.stddev == b.stddev;
}

/// The view at the end of what one is like: whose draws it takes.
std::string find_drawn_view(const DataConfig& data, const std::string& name) {
  std::string drawn = name;
  while (data.find_view(drawn) != nullptr && !data.find_view(drawn)->like.empty())
    drawn = data.find_view(drawn)->like;
  return drawn == kDefaultView ? "" : drawn;
}

/// How a view is made: the default one of [data], or one of [data.views].
ViewRecipe make_view_recipe(const DataConfig& data, const std::string& name) {
  ViewRecipe recipe;
  recipe.augment = data.augment;
  if (name == kDefaultView) return recipe;
  const ViewConfig& view = *data.find_view(name);
  recipe.draws_as = find_drawn_view(data, name);
  recipe.augment = view.augment;
  recipe.size = view.size;
  recipe.times = view.times;
  recipe.key = "data.views." + name + ".augment";
  return recipe;
}

}  // namespace

Session::Session(const Experiment& experiment)
    : experiment_(experiment),
      threads_(use_threads(experiment.run.threads)),
      placement_(placement_of(experiment.run)),
      data_(load_images(experiment.data)) {
  forget_told_warnings();
  refuse_what_does_not_fit();
  for (const NetworkConfig& teacher : experiment.teachers) warn_of_unused_rules(teacher);
  for (const NetworkConfig& student : experiment.students) warn_of_unused_rules(student);
  for (const NetworkConfig& student : experiment.students) add_views(student);
  for (const NetworkConfig& teacher : experiment.teachers) add_views(teacher);
}

const Normalize& Session::normalize_of(const NetworkConfig& config) const {
  if (config.normalize) return *config.normalize;
  return experiment_.data.normalize ? *experiment_.data.normalize : data_.normalize;
}

const NetworkConfig& Session::find_config(const std::string& network) const {
  if (const NetworkConfig* config = experiment_.find_network(network)) return *config;
  throw std::logic_error("the experiment has no network " + network);
}

const Session::NormalizedView* Session::find_view(const std::string& view,
                                                  const Normalize& normalize) const {
  const auto found = std::find_if(views_.begin(), views_.end(), [&](const NormalizedView& its) {
    return its.view == view && equal(its.normalize, normalize);
  });
  return found == views_.end() ? nullptr : &*found;
}

/// Those that no network before sees: "image", "image.strong", "image@teacher" where it normalises
/// otherwise than the first network that sees the view.
void Session::add_views(const NetworkConfig& config) {
  const Normalize& normalize = normalize_of(config);
  for (const std::string& name : config.views) {
    if (find_view(name, normalize) != nullptr) continue;
    const bool is_first = std::none_of(views_.begin(), views_.end(),
                                       [&](const auto& view) { return view.view == name; });
    const std::string field = std::string(kImageField) + (name == kDefaultView ? "" : "." + name) +
                              (is_first ? "" : "@" + config.name);
    views_.push_back(
        {name, normalize, field,
         std::make_unique<ViewMaker>(data_, normalize, make_view_recipe(experiment_.data, name),
                                     experiment_.seed, placement_.channels_last)});
  }
}

std::vector<ParticipantView> Session::make_views(const NetworkConfig& config) const {
  std::vector<ParticipantView> views;
  for (const std::string& name : config.views) {
    const NormalizedView& view = *find_view(name, normalize_of(config));
    views.push_back({name, view.field, view.maker.get()});
  }
  return views;
}

const ViewMaker& Session::eval_views(const std::string& network) const {
  return *make_views(find_config(network)).front().maker;
}

/// What the images alone tell to be wrong, and then with it what the networks tell.
void Session::refuse_what_does_not_fit() const {
  Diagnostics mistakes;
  check_images(experiment_, data_, mistakes);
  if (mistakes.empty()) return;
  Failures failures(std::move(mistakes));
  collect_failures_of_networks(*this, failures);
  failures.throw_if_any();
}

std::unique_ptr<Network> Session::build(const NetworkConfig& config) const {
  const ViewRecipe view = make_view_recipe(experiment_.data, config.views.front());
  InputShape input = {data_.channels, data_.height, data_.width, data_.class_count};
  if (view.size > 0) input.height = input.width = view.size;
  return build_network(config.name, config, input, placement_, experiment_.seed);
}

void Session::load(Network& network, const NetworkConfig& config) const {
  load_weights(network.parameters(), *config.weights, config.rename);
}

std::unique_ptr<Network> Session::make_network(const std::string& name) const {
  const NetworkConfig& config = find_config(name);
  auto network = build(config);
  if (config.weights) load(*network, config);
  return network;
}

RunShape Session::shape() const {
  Phase phase;
  phase.train = experiment_.train;
  phase.data = &data_;
  phase.batch_size = experiment_.data.batch_size;
  return make_run_shape(phase);
}

RunShape Session::shape_for(const TransferConfig& transfer) const {
  RunShape its_shape = shape();
  const std::string& view = transfer.view_student.empty()
                                ? find_config(transfer.student).views.front()
                                : transfer.view_student;
  its_shape.batch_size *= make_view_recipe(experiment_.data, view).times;
  return its_shape;
}

std::shared_ptr<Transfer> Session::make_transfer(const TransferConfig& config) const {
  return std::make_shared<Transfer>(config, placement_.device, experiment_.seed);
}

}  // namespace retort::host
