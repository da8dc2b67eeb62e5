#include "framework/data/image_data.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "framework/base/text.hpp"
#include "framework/bridge/door.hpp"
#include "framework/bridge/scope.hpp"
#include "framework/data/dataset_facts.hpp"
#include "framework/data/unwritten.hpp"
#include "framework/data/validation.hpp"
#include "framework/io/hash.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

const char* split_name(retort_split split) {
  return split == RETORT_SPLIT_TRAIN ? "training" : "test";
}

/// What read() wrote: all of it, and something to learn from.
void check_read(const ComponentInfo& component, const retort_dataset_info& info, const char* split,
                const ImageSplit& data) {
  const std::span<const uint8_t> pixels(data.images.const_data_ptr<uint8_t>(),
                                        data.images.nbytes());
  const std::span<const int64_t> labels(data.labels.const_data_ptr<int64_t>(),
                                        static_cast<size_t>(data.size()));
  check_pixels(component, split, pixels, data.size());
  check_labels(component, split, labels, info.class_count);
  if (std::all_of(pixels.begin(), pixels.end(), [&](uint8_t it) { return it == pixels[0]; })) {
    spdlog::warn("{} {}: every pixel of the {} images is {}: nothing can be learnt from them",
                 component.id, component.version, split, pixels[0]);
  }
  const std::string one_class = describe_one_class(info, split, labels);
  if (!one_class.empty()) spdlog::warn("{} {}: {}", component.id, component.version, one_class);
}

ImageSplit read_split(const Instance& instance, const retort_dataset_interface& functions,
                      Scope& scope, const retort_dataset_info& info, retort_split split,
                      int64_t count) {
  ImageSplit data;
  data.images = at::empty({count, info.channels, info.height, info.width},
                          at::TensorOptions().dtype(at::kByte));
  fill_unwritten({data.images.data_ptr<uint8_t>(), data.images.nbytes()});
  data.labels = at::full({count}, kUnwrittenLabel, at::TensorOptions().dtype(at::kLong));
  call_plugin(scope, "read()", [&](retort_error* error) {
    return functions.read(instance.self(), split, 0, count, data.images.data_ptr<uint8_t>(),
                          data.labels.data_ptr<int64_t>(), error);
  });
  check_read(instance.info(), info, split_name(split), data);
  return data;
}

}  // namespace

namespace {

void warn_of_odd_images(const ComponentInfo& component, const ImageData& data) {
  const auto pixels = [](const ImageSplit& split) {
    return std::span<const uint8_t>(split.images.const_data_ptr<uint8_t>(), split.images.nbytes());
  };
  const std::span<const int64_t> labels(data.train.labels.const_data_ptr<int64_t>(),
                                        static_cast<size_t>(data.train.size()));
  const auto sample_bytes = static_cast<size_t>(data.channels * data.height * data.width);
  for (const std::string& odd : describe_odd_images(pixels(data.train), pixels(data.test), labels,
                                                    data.class_count, sample_bytes)) {
    spdlog::warn("{} {}: {}", component.id, component.version, odd);
  }
}

}  // namespace

at::Tensor ImageData::labels(EvalSplit split, int64_t first, int64_t count) const {
  if (split == EvalSplit::Test) return test.labels.narrow(0, first, count);
  at::Tensor held = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  const int64_t* all = train.labels.const_data_ptr<int64_t>();
  const auto from = validation.begin() + first;
  std::transform(from, from + count, held.data_ptr<int64_t>(),
                 [&](int64_t sample) { return all[sample]; });
  return held;
}

std::vector<int64_t> ImageData::trained_samples() const {
  std::vector<int64_t> samples;
  samples.reserve(static_cast<size_t>(trained_count()));
  auto held = validation.begin();
  for (int64_t sample = 0; sample < train.size(); ++sample) {
    if (held != validation.end() && *held == sample) {
      ++held;
    } else {
      samples.push_back(sample);
    }
  }
  return samples;
}

ImageData load_images(const DataConfig& config) {
  const ComponentInfo& component = config.dataset.info;
  Scope scope;
  scope.component = &component;
  scope.instance = "data";
  scope.function = PluginFunction::Data;
  const Instance instance(Library::open(component.file, &host_table()), component,
                          config.dataset.options);
  const auto& functions = instance.interface<retort_dataset_interface>(RETORT_DATASET_INTERFACE);

  retort_dataset_info info{};
  info.struct_size = sizeof(info);
  call_plugin(scope, "open()",
              [&](retort_error* error) { return functions.open(instance.self(), &info, error); });
  const int64_t train_count = config.train_samples > 0
                                  ? std::min(info.train_count, config.train_samples)
                                  : info.train_count;
  check_dataset_facts(component, info, train_count);

  ImageData data;
  data.id = component.id;
  data.channels = info.channels;
  data.height = info.height;
  data.width = info.width;
  data.class_count = info.class_count;
  data.normalize.mean.assign(info.mean, info.mean + info.channels);
  data.normalize.stddev.assign(info.stddev, info.stddev + info.channels);
  for (int64_t i = 0; info.class_names != nullptr && i < info.class_count; ++i) {
    const char* name = info.class_names[i];
    data.class_names.push_back(safe_line(name == nullptr ? "" : name));
  }
  data.train_available = info.train_count;
  data.train = read_split(instance, functions, scope, info, RETORT_SPLIT_TRAIN, train_count);
  data.test = read_split(instance, functions, scope, info, RETORT_SPLIT_TEST, info.test_count);
  warn_of_odd_images(component, data);
  if (data.class_count == 1) {
    spdlog::warn(
        "{} {}: has one class: every accuracy is 100 % and the cross-entropy is 0, so only "
        "a transfer can teach the student",
        component.id, component.version);
  }
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
  const auto hash = [](const at::Tensor& tensor) {
    return xxh3_128_hex({static_cast<const uint8_t*>(tensor.const_data_ptr()), tensor.nbytes()});
  };
  std::string text = hash(data.train.images) + hash(data.train.labels) + hash(data.test.images) +
                     hash(data.test.labels);
  if (!data.validation.empty()) {
    text += xxh3_128_hex({reinterpret_cast<const uint8_t*>(data.validation.data()),
                          data.validation.size() * sizeof(int64_t)});
  }
  return text;
}

}  // namespace retort::host
