#pragma once

#include "framework/config/component.hpp"
#include "framework/data/memory_source.hpp"

namespace retort::host {

/// A data set as its plugin gives it. Contract 0.2 reads whole splits, so they lie in memory, and
/// the plugin is done once they are read.
class PluginSource final : public MemorySource {
 public:
  /// Opens the data set and reads both splits, of the training split the first `train_samples`, or
  /// all for 0. Labels are checked against the class count; what is odd is warned of.
  /// Throws: DataError from the plugin (missing or damaged files), or where what it says does not
  ///         fit together.
  PluginSource(const ComponentChoice& dataset, int64_t train_samples);

  /// The size of the whole training split.
  int64_t train_available() const { return train_available_; }

 private:
  struct Read {
    SourceFacts facts;
    StoredSplit train, test;
    int64_t train_available = 0;
  };
  static Read read(const ComponentChoice& dataset, int64_t train_samples);
  explicit PluginSource(Read read);

  int64_t train_available_;
};

}  // namespace retort::host
