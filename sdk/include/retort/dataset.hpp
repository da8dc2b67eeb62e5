#pragma once

#include <string>
#include <utility>
#include <vector>

#include "retort/error.hpp"
#include "retort/plugin.hpp"

RETORT_BEGIN_NAMESPACE

/// A whole file in memory, gunzipped where it was gzipped. A default-constructed one is empty.
class File {
 public:
  File() = default;
  /// Throws:  DataError that names the path, when it cannot be read or holds more than max_bytes
  ///          after inflating.
  File(const std::string& path, uint64_t max_bytes) : path_(path) {
    detail::Failure failure;
    detail::check(detail::host().read_file(path.c_str(), max_bytes, &bytes_, &failure));
  }
  /// The first `count` bytes of a file, or all of one that has fewer; a gzipped one is inflated that
  /// far and no further.
  /// Throws:  DataError that names the path, when it cannot be read.
  static File head(const std::string& path, uint64_t count) {
    File file;
    file.path_ = path;
    detail::Failure failure;
    detail::check(detail::host().read_head(path.c_str(), count, &file.bytes_, &failure));
    return file;
  }
  File(File&& other) noexcept : path_(std::move(other.path_)), bytes_(other.bytes_) {
    other.bytes_ = {};
  }
  File& operator=(File&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~File() {
    if (bytes_.owner != nullptr) detail::host().release_bytes(&bytes_);
  }

  const std::string& path() const { return path_; }
  const uint8_t* data() const { return bytes_.data; }
  uint64_t size() const { return bytes_.size; }

 private:
  std::string path_;
  retort_bytes bytes_{};
};

enum class Split { Train = RETORT_SPLIT_TRAIN, Test = RETORT_SPLIT_TEST };

/// What a data set says of itself.
struct DatasetInfo {
  int64_t train_count = 0;
  int64_t test_count = 0;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t class_count = 0;
  std::vector<double> mean;    ///< a channel each, of pixels in [0, 1]
  std::vector<double> stddev;  ///< the same
  std::vector<std::string> class_names;
};

namespace detail {
template <class D>
struct DatasetFunctions;
}

/// Labelled images. A class derives from it, has a member `options` of a struct `Options` (may be
/// empty), and is declared with RETORT_DATASET. It never augments or normalises: the host does.
class Dataset {
 public:
  virtual ~Dataset() = default;

  /// Opens the files and checks them whole.
  /// Throws:  DataError that names the path tried and how to get the data, or the offset of the
  ///          damage.
  virtual DatasetInfo open() = 0;

  /// Writes samples [first, first + count) of a split: pixels [count, channels, height, width],
  /// labels [count]. Every pixel and label is to be written: those that are left out are refused.
  virtual void read(Split split, int64_t first, int64_t count, uint8_t* pixels,
                    int64_t* labels) = 0;

 private:
  template <class D>
  friend struct detail::DatasetFunctions;
  // What the host's copy of the description points to.
  DatasetInfo info_;
  std::vector<const char*> names_;
};

namespace detail {

/// The C functions of one data set class.
template <class D>
struct DatasetFunctions {
  static int32_t open(void* self, retort_dataset_info* out, retort_error* error) {
    return guarded(error, [&] {
      Dataset& dataset = *static_cast<D*>(self);
      dataset.info_ = dataset.open();
      const DatasetInfo& info = dataset.info_;
      check_length("mean", info.mean.size(), info.channels);
      check_length("stddev", info.stddev.size(), info.channels);
      if (!info.class_names.empty()) {
        check_length("class_names", info.class_names.size(), info.class_count);
      }
      dataset.names_.clear();
      for (const std::string& name : info.class_names) dataset.names_.push_back(name.c_str());
      out->train_count = info.train_count;
      out->test_count = info.test_count;
      out->channels = info.channels;
      out->height = info.height;
      out->width = info.width;
      out->class_count = info.class_count;
      out->mean = info.mean.data();
      out->stddev = info.stddev.data();
      out->class_names = dataset.names_.empty() ? nullptr : dataset.names_.data();
    });
  }
  static void check_length(const char* name, size_t length, int64_t wanted) {
    if (static_cast<int64_t>(length) == wanted) return;
    throw Error(message("DatasetInfo::", name, " has ", length, " entries; wanted ", wanted));
  }
  static int32_t read(void* self, int32_t split, int64_t first, int64_t count, uint8_t* pixels,
                      int64_t* labels, retort_error* error) {
    return guarded(error, [&] {
      static_cast<D*>(self)->read(static_cast<Split>(split), first, count, pixels, labels);
    });
  }
  static constexpr retort_dataset_interface interface = {sizeof(retort_dataset_interface), 0, open,
                                                         read};
  static const void* find(const char* id) {
    return std::string_view(id) == RETORT_DATASET_INTERFACE ? &interface : nullptr;
  }
};

}  // namespace detail

/// Declares a data set for RETORT_PLUGIN.
template <class D, class... Traits>
constexpr auto dataset(std::string_view id, std::string_view version, std::string_view summary,
                       Traits... traits) {
  return detail::component<D>(RETORT_KIND_DATASET, detail::DatasetFunctions<D>::find, id, version,
                              summary, traits...);
}

RETORT_END_NAMESPACE

/// A plugin of one data set.
#define RETORT_DATASET(class_, ...) RETORT_PLUGIN(::retort::dataset<class_>(__VA_ARGS__))
