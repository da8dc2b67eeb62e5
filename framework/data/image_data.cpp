#include "framework/data/image_data.hpp"

#include <utility>

#include "framework/base/text.hpp"
#include "framework/data/plugin_source.hpp"
#include "framework/data/validation.hpp"
#include "framework/io/hash.hpp"

namespace retort::host {

ImageData::ImageData(std::shared_ptr<const Source> samples)
    : SourceFacts(samples->facts()),
      SampleSet{{Split::Train, samples->labels(Split::Train)},
                {Split::Test, samples->labels(Split::Test)},
                {}},
      source(std::move(samples)),
      train_available(train.size()) {}

ImageData load_images(const DataConfig& config) {
  auto source = std::make_shared<const PluginSource>(config.dataset, config.train_samples);
  ImageData data(source);
  data.train_available = source->train_available();
  if (config.validation > 0) {
    const int64_t* labels = data.train.labels.const_data_ptr<int64_t>();
    data.validation = hold_out({labels, static_cast<size_t>(data.train.size())}, data.class_count,
                               config.validation);
  }
  return data;
}

std::string description(const ImageData& data) {
  const int64_t trained = data.trained_count(), held_out = data.size(EvalSplit::Validation);
  std::string text = data.id + "   " + grouped(trained);
  if (data.train_available > trained) text += " of " + grouped(data.train_available);
  text += " train, ";
  if (held_out > 0) text += grouped(held_out) + " held out, ";
  return text + grouped(data.test.size()) + " test, " + std::to_string(data.channels) + " x " +
         std::to_string(data.height) + " x " + std::to_string(data.width) + ", " +
         std::to_string(data.class_count) + " classes";
}

std::string content_hash(const ImageData& data) {
  std::string text = data.source->fingerprint();
  if (!data.validation.empty()) {
    text += xxh3_128_hex({reinterpret_cast<const uint8_t*>(data.validation.data()),
                          data.validation.size() * sizeof(int64_t)});
  }
  return text;
}

}  // namespace retort::host
