#pragma once

#include <memory>
#include <vector>

#include "framework/config/experiment.hpp"
#include "framework/data/image_data.hpp"
#include "framework/data/views.hpp"
#include "framework/train/network.hpp"
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
  const ViewMaker& student_views() const { return *student_views_; }
  /// The same object as student_views() where both networks normalise alike.
  const ViewMaker& teacher_views() const {
    return own_teacher_views_ ? *own_teacher_views_ : *student_views_;
  }

  /// A student at its start values, or with the weights that the experiment names. Each call gives
  /// an equal one.
  std::unique_ptr<Network> make_student() const { return make("student", experiment_.student); }
  /// The teacher at its start values, or with the weights that the experiment names. Not frozen.
  std::unique_ptr<Network> make_teacher() const { return make("teacher", *experiment_.teacher); }
  std::vector<std::shared_ptr<Transfer>> make_transfers() const;

  /// The parts of these: a network without its weights, its weights, one transfer, and what
  /// transfers are told of the run when they are set up.
  std::unique_ptr<Network> build(const std::string& role, const NetworkConfig& config) const;
  void load(Network& network, const NetworkConfig& config) const;
  std::shared_ptr<Transfer> make_transfer(const TransferConfig& config) const;
  /// Throws: ConfigError where a batch is larger than the training split.
  RunShape shape() const;

 private:
  void refuse_what_does_not_fit() const;
  std::unique_ptr<Network> make(const std::string& role, const NetworkConfig& config) const;
  const Normalize& normalize_of(const NetworkConfig& config) const;

  const Experiment& experiment_;
  int64_t threads_;
  Placement placement_;
  ImageData data_;
  std::unique_ptr<ViewMaker> student_views_;
  std::unique_ptr<ViewMaker> own_teacher_views_;
};

}  // namespace retort::host
