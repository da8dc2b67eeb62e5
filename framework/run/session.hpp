#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/data/image_data.hpp"
#include "framework/data/views.hpp"
#include "framework/train/network.hpp"
#include "framework/train/participant.hpp"
#include "framework/train/phase.hpp"
#include "framework/train/transfer.hpp"

namespace retort::host {

/// What every command that runs networks starts from: the device, the data in memory, and the views
/// of it.
class Session {
 public:
  /// Chooses the device, sets the threads and loads the data.
  /// Throws: EnvironmentError, DataError; MistakesError for what does not fit the data (check_images),
  ///         together with what make_networks() would throw.
  explicit Session(const Experiment& experiment);

  const Experiment& experiment() const { return experiment_; }
  const ImageData& data() const { return data_; }
  const Placement& placement() const { return placement_; }
  int64_t threads() const { return threads_; }

  /// The views that a network sees, with its normalisation: networks that see the same share a field.
  std::vector<ParticipantView> make_views(const NetworkConfig& config) const;
  /// What the network of that name is evaluated on.
  const ViewMaker& eval_views(const std::string& network) const;

  /// The teacher or student of that name at its start values, or with the weights that the experiment
  /// names. Not frozen. Each call gives an equal one.
  std::unique_ptr<Network> make_network(const std::string& name) const;
  std::shared_ptr<Transfer> make_transfer(const TransferConfig& config) const;

  /// The parts of these: a network without its weights, its weights, and what transfers are told of the
  /// run when they are set up.
  std::unique_ptr<Network> build(const NetworkConfig& config) const;
  void load(Network& network, const NetworkConfig& config) const;
  /// Throws: ConfigError where a batch is larger than the training split.
  RunShape shape() const;
  /// The same for one transfer: batches of the view that it compares.
  RunShape shape_for(const TransferConfig& transfer) const;

 private:
  /// A view of the data with a normalisation.
  struct NormalizedView {
    std::string view;
    Normalize normalize;
    std::string field;
    std::unique_ptr<ViewMaker> maker;
  };

  void refuse_what_does_not_fit() const;
  void add_views(const NetworkConfig& config);
  const NormalizedView* find_view(const std::string& view, const Normalize& normalize) const;
  const Normalize& normalize_of(const NetworkConfig& config) const;
  const NetworkConfig& find_config(const std::string& network) const;

  const Experiment& experiment_;
  int64_t threads_;
  Placement placement_;
  ImageData data_;
  std::vector<NormalizedView> views_;
};

}  // namespace retort::host
