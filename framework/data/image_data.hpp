#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "framework/config/experiment.hpp"
#include "framework/data/sample_set.hpp"
#include "framework/data/source.hpp"

namespace retort::host {

/// A data set as a run uses it: where its samples come from, what it says of itself, and which
/// samples serve what.
struct ImageData : SourceFacts, SampleSet {
  /// All samples of both splits, none held out.
  explicit ImageData(std::shared_ptr<const Source> samples);

  std::shared_ptr<const Source> source;
  int64_t train_available = 0;  // of the data set; more than train has with data.train_samples
};

/// "fashion_mnist   54,000 of 60,000 train, 6,000 held out, 10,000 test, 1 x 28 x 28, 10 classes":
/// what is trained on, of how many, and what is held out; the latter two where they differ.
std::string description(const ImageData& data);

/// Loads a data set through its plugin (see PluginSource), and chooses what is held out (see
/// hold_out).
/// Throws: DataError as PluginSource; ConfigError for a share that holds out nothing, or all.
ImageData load_images(const DataConfig& config);

/// The source's fingerprint, and the XXH3-128 of what is held out: what a kept teacher and its
/// accuracy depend on.
std::string content_hash(const ImageData& data);

}  // namespace retort::host
