#include "tests/fuzz/dataset.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/io/file_bytes.hpp"

namespace retort::fuzz {
namespace {

std::string last_text;

template <typename Read>
int32_t answer(retort_bytes* out, retort_error* error, Read read) {
  try {
    auto bytes = std::make_unique<host::FileBytes>(read());
    out->data = bytes->data();
    out->size = bytes->size();
    out->owner = bytes.release();
    return RETORT_OK;
  } catch (const host::DataError& failure) {
    last_text = failure.what();
    error->code = RETORT_BAD_DATA;
    std::snprintf(error->message, sizeof error->message, "%s", failure.what());
    return RETORT_BAD_DATA;
  }
}

int32_t read_file(const char* path, uint64_t max_bytes, retort_bytes* out, retort_error* error) {
  return answer(out, error, [&] { return host::read_file(path, max_bytes); });
}

int32_t read_head(const char* path, uint64_t count, retort_bytes* out, retort_error* error) {
  return answer(out, error, [&] { return host::read_head(path, count); });
}

void release_bytes(retort_bytes* bytes) {
  delete static_cast<host::FileBytes*>(bytes->owner);
  *bytes = {};
}

const retort_host& file_host() {
  static const retort_host host = [] {
    retort_host table = {};
    table.struct_size = sizeof table;
    table.abi_major = RETORT_ABI_MAJOR;
    table.abi_minor = RETORT_ABI_MINOR;
    table.read_file = read_file;
    table.read_head = read_head;
    table.release_bytes = release_bytes;
    table.last_error = [] { return last_text.c_str(); };
    return table;
  }();
  return host;
}

retort_error empty_error() {
  retort_error error = {};
  error.struct_size = sizeof error;
  return error;
}

void expect_ok(int32_t code, const retort_error& error) {
  if (code == RETORT_OK) return;
  throw std::logic_error("code " + std::to_string(code) + ": " + error.message);
}

/// The first and the last samples of a split, at most 64 of each.
void read_ends(const retort_dataset_interface& functions, void* self, int32_t split, int64_t total,
               int64_t bytes_each) {
  const int64_t count = std::min<int64_t>(total, 64);
  std::vector<uint8_t> pixels(static_cast<size_t>(count * bytes_each));
  std::vector<int64_t> labels(static_cast<size_t>(count));
  for (const int64_t first : {int64_t{0}, total - count}) {
    retort_error error = empty_error();
    expect_ok(functions.read(self, split, first, count, pixels.data(), labels.data(), &error),
              error);
  }
}

}  // namespace

bool opens(const retort_plugin& plugin, const std::filesystem::path& root) {
  retort_error error = empty_error();
  expect_ok(plugin.attach(&file_host(), &error), error);
  const retort_component& component = plugin.components[0];
  void* created = nullptr;
  expect_ok(component.create(&created, &error), error);
  const std::unique_ptr<void, void (*)(void*)> self(created, component.destroy);

  retort_value option = {};
  option.tag = RETORT_TAG_TEXT;
  option.count = static_cast<int64_t>(root.native().size());
  option.as.text = root.c_str();
  expect_ok(component.set_option(self.get(), 0, &option, &error), error);

  const auto& functions = *static_cast<const retort_dataset_interface*>(
      component.find_interface(RETORT_DATASET_INTERFACE));
  retort_dataset_info info = {};
  info.struct_size = sizeof info;
  const int32_t code = functions.open(self.get(), &info, &error);
  if (code == RETORT_BAD_DATA) return false;
  expect_ok(code, error);
  const int64_t bytes_each = info.channels * info.height * info.width;
  read_ends(functions, self.get(), RETORT_SPLIT_TRAIN, info.train_count, bytes_each);
  read_ends(functions, self.get(), RETORT_SPLIT_TEST, info.test_count, bytes_each);
  return true;
}

}  // namespace retort::fuzz
