#include "tests/plugins/datasets/dataset_rig.hpp"

#include "framework/base/error.hpp"
#include "framework/bridge/door.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {

DatasetRig::DatasetRig(const std::string& id, const Options& options)
    : choice_(choose(RETORT_KIND_DATASET, id, options)),
      instance_(std::make_unique<host::Instance>(
          host::Library::open(choice_.info.file, &host::host_table()), choice_.info,
          choice_.options)),
      functions_(&instance_->interface<retort_dataset_interface>(RETORT_DATASET_INTERFACE)) {
  scope_.component = &choice_.info;
  scope_.function = host::PluginFunction::Data;
  info_.struct_size = sizeof(info_);
  host::call_plugin(scope_, "open()", [&](retort_error* error) {
    return functions_->open(instance_->self(), &info_, error);
  });
}

DatasetRig::Samples DatasetRig::read(retort_split split, int64_t first, int64_t count) {
  Samples samples;
  samples.pixels.resize(static_cast<size_t>(count * info_.channels * info_.height * info_.width));
  samples.labels.resize(static_cast<size_t>(count));
  host::call_plugin(scope_, "read()", [&](retort_error* error) {
    return functions_->read(instance_->self(), split, first, count, samples.pixels.data(),
                            samples.labels.data(), error);
  });
  return samples;
}

std::string open_failure(const std::string& id, const Options& options) {
  return message_of<host::DataError>([&] { DatasetRig(id, options); });
}

}  // namespace retort::test
