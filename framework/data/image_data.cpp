#include "framework/data/image_data.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "framework/bridge/door.hpp"
#include "framework/bridge/scope.hpp"
#include "framework/data/hash.hpp"
#include "framework/data/validation.hpp"
#include "framework/error.hpp"
#include "framework/text.hpp"

namespace retort::host {
namespace {

[[noreturn]] void refuse(const ComponentInfo& info, const std::string& what) {
  throw DataError(info.id + " " + info.version + " (" + info.file.string() + "): " + what);
}

void check_info(const ComponentInfo& component, const retort_dataset_info& info) {
  if (info.train_count < 1 || info.channels < 1 || info.height < 1 || info.width < 1 ||
      info.class_count < 1 || info.test_count < 0) {
    refuse(component, "describes " + std::to_string(info.train_count) + " training images of " +
                          std::to_string(info.channels) + " x " + std::to_string(info.height) +
                          " x " + std::to_string(info.width) + " in " +
                          std::to_string(info.class_count) + " classes; each must be at least 1");
  }
  for (int64_t c = 0; c < info.channels; ++c) {
    if (!(info.stddev[c] > 0)) refuse(component, "gives a standard deviation that is not above 0");
  }
}

ImageSplit read_split(const Instance& instance, const retort_dataset_interface& functions,
                      Scope& scope, const retort_dataset_info& info, retort_split split,
                      int64_t count) {
  ImageSplit data;
  data.images = at::empty({count, info.channels, info.height, info.width},
                          at::TensorOptions().dtype(at::kByte));
  data.labels = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  call_plugin(scope, "read()", [&](retort_error* error) {
    return functions.read(instance.self(), split, 0, count, data.images.data_ptr<uint8_t>(),
                          data.labels.data_ptr<int64_t>(), error);
  });

  const int64_t* labels = data.labels.data_ptr<int64_t>();
  const int64_t* bad = std::find_if(labels, labels + count, [&](int64_t label) {
    return label < 0 || label >= info.class_count;
  });
  if (bad != labels + count) {
    refuse(instance.info(), "sample " + std::to_string(bad - labels) + " has label " +
                                std::to_string(*bad) + "; labels are 0 to " +
                                std::to_string(info.class_count - 1));
  }
  return data;
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
  scope.phase = Phase::Data;
  const Instance instance(Library::open(component.file, &host_table()), component,
                          config.dataset.options);
  const auto& functions = instance.interface<retort_dataset_interface>(RETORT_DATASET_INTERFACE);

  retort_dataset_info info{};
  info.struct_size = sizeof(info);
  call_plugin(scope, "open()",
              [&](retort_error* error) { return functions.open(instance.self(), &info, error); });
  check_info(component, info);

  ImageData data;
  data.id = component.id;
  data.channels = info.channels;
  data.height = info.height;
  data.width = info.width;
  data.class_count = info.class_count;
  data.normalize.mean.assign(info.mean, info.mean + info.channels);
  data.normalize.stddev.assign(info.stddev, info.stddev + info.channels);
  for (int64_t i = 0; info.class_names != nullptr && i < info.class_count; ++i) {
    data.class_names.emplace_back(info.class_names[i]);
  }
  data.train_available = info.train_count;
  int64_t train_count = info.train_count;
  if (config.train_samples > 0) train_count = std::min(train_count, config.train_samples);
  data.train = read_split(instance, functions, scope, info, RETORT_SPLIT_TRAIN, train_count);
  data.test = read_split(instance, functions, scope, info, RETORT_SPLIT_TEST, info.test_count);
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
