#include "framework/data/plugin_source.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "framework/bridge/door.hpp"
#include "framework/bridge/scope.hpp"
#include "framework/data/dataset_facts.hpp"
#include "framework/data/unwritten.hpp"
#include "framework/io/safe_text.hpp"
#include "framework/plugin/instance.hpp"

namespace retort::host {
namespace {

const char* split_name(retort_split split) {
  return split == RETORT_SPLIT_TRAIN ? "training" : "test";
}

std::span<const uint8_t> pixels_of(const StoredSplit& split) {
  return {split.images.const_data_ptr<uint8_t>(), split.images.nbytes()};
}

std::span<const int64_t> labels_of(const StoredSplit& split) {
  return {split.labels.const_data_ptr<int64_t>(), static_cast<size_t>(split.labels.numel())};
}

/// What read() wrote: all of it, and something to learn from.
void check_read(const ComponentInfo& component, const retort_dataset_info& info, const char* split,
                const StoredSplit& stored) {
  const auto pixels = pixels_of(stored);
  const auto labels = labels_of(stored);
  check_pixels(component, split, pixels, std::ssize(labels));
  check_labels(component, split, labels, info.class_count);
  if (std::all_of(pixels.begin(), pixels.end(), [&](uint8_t it) { return it == pixels[0]; })) {
    spdlog::warn("{} {}: every pixel of the {} images is {}: nothing can be learnt from them",
                 component.id, component.version, split, pixels[0]);
  }
  const std::string one_class = describe_one_class(info, split, labels);
  if (!one_class.empty()) spdlog::warn("{} {}: {}", component.id, component.version, one_class);
}

StoredSplit read_split(const Instance& instance, const retort_dataset_interface& functions,
                       Scope& scope, const retort_dataset_info& info, retort_split split,
                       int64_t count) {
  StoredSplit stored;
  stored.images = at::empty({count, info.channels, info.height, info.width},
                            at::TensorOptions().dtype(at::kByte));
  fill_unwritten({stored.images.data_ptr<uint8_t>(), stored.images.nbytes()});
  stored.labels = at::full({count}, kUnwrittenLabel, at::TensorOptions().dtype(at::kLong));
  call_plugin(scope, "read()", [&](retort_error* error) {
    return functions.read(instance.self(), split, 0, count, stored.images.data_ptr<uint8_t>(),
                          stored.labels.data_ptr<int64_t>(), error);
  });
  check_read(instance.info(), info, split_name(split), stored);
  return stored;
}

SourceFacts make_facts(const ComponentInfo& component, const retort_dataset_info& info) {
  SourceFacts facts;
  facts.id = component.id;
  facts.channels = info.channels;
  facts.height = info.height;
  facts.width = info.width;
  facts.class_count = info.class_count;
  facts.normalize.mean.assign(info.mean, info.mean + info.channels);
  facts.normalize.stddev.assign(info.stddev, info.stddev + info.channels);
  for (int64_t i = 0; info.class_names != nullptr && i < info.class_count; ++i) {
    const char* name = info.class_names[i];
    facts.class_names.push_back(safe_line(name == nullptr ? "" : name));
  }
  return facts;
}

void warn_of_odd_data(const ComponentInfo& component, const SourceFacts& facts,
                      const StoredSplit& train, const StoredSplit& test) {
  for (const std::string& odd :
       describe_odd_images(pixels_of(train), pixels_of(test), labels_of(train), facts.class_count,
                           static_cast<size_t>(facts.sample_bytes()))) {
    spdlog::warn("{} {}: {}", component.id, component.version, odd);
  }
  if (facts.class_count == 1) {
    spdlog::warn(
        "{} {}: has one class: every accuracy is 100 % and the cross-entropy is 0, so only "
        "a transfer can teach the student",
        component.id, component.version);
  }
}

}  // namespace

PluginSource::Read PluginSource::read(const ComponentChoice& dataset, int64_t train_samples) {
  const ComponentInfo& component = dataset.info;
  Scope scope;
  scope.component = &component;
  scope.instance = "data";
  scope.function = PluginFunction::Data;
  const Instance instance(Library::open(component.file, &host_table()), component, dataset.options);
  const auto& functions = instance.interface<retort_dataset_interface>(RETORT_DATASET_INTERFACE);

  retort_dataset_info info{};
  info.struct_size = sizeof(info);
  call_plugin(scope, "open()",
              [&](retort_error* error) { return functions.open(instance.self(), &info, error); });
  const int64_t train_count =
      train_samples > 0 ? std::min(info.train_count, train_samples) : info.train_count;
  check_dataset_facts(component, info, train_count);

  Read read;
  read.facts = make_facts(component, info);
  read.train_available = info.train_count;
  read.train = read_split(instance, functions, scope, info, RETORT_SPLIT_TRAIN, train_count);
  read.test = read_split(instance, functions, scope, info, RETORT_SPLIT_TEST, info.test_count);
  warn_of_odd_data(component, read.facts, read.train, read.test);
  return read;
}

PluginSource::PluginSource(Read read)
    : MemorySource(std::move(read.facts), std::move(read.train), std::move(read.test)),
      train_available_(read.train_available) {}

PluginSource::PluginSource(const ComponentChoice& dataset, int64_t train_samples)
    : PluginSource(read(dataset, train_samples)) {}

}  // namespace retort::host
