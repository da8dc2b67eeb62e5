#include "framework/data/dataset_facts.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/data/unwritten.hpp"
#include "framework/io/hash.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

// No real data set comes near; what is above is a mistake, or read from a damaged file.
constexpr int64_t kMostSamples = int64_t{1} << 40;
constexpr int64_t kMostChannels = 65536;
constexpr int64_t kMostSide = int64_t{1} << 20;
constexpr int64_t kMostClasses = int64_t{1} << 24;
constexpr size_t kLongestClassName = 1000;  // bytes

// From how many samples a class on it is odd that a class has none.
constexpr int64_t kSamplesAClass = 10;
constexpr size_t kMostListed = 5;
constexpr size_t kLeastBytes = 16;  // smaller images may be alike by chance

std::vector<int64_t> find_empty_classes(std::span<const int64_t> labels, int64_t class_count) {
  std::vector<bool> seen(static_cast<size_t>(class_count), false);
  for (const int64_t label : labels) seen[static_cast<size_t>(label)] = true;
  std::vector<int64_t> empty;
  for (int64_t label = 0; label < class_count; ++label)
    if (!seen[static_cast<size_t>(label)]) empty.push_back(label);
  return empty;
}

std::vector<uint64_t> hash_samples(std::span<const uint8_t> pixels, size_t sample_bytes) {
  std::vector<uint64_t> hashes;
  hashes.reserve(pixels.size() / sample_bytes);
  for (; !pixels.empty(); pixels = pixels.subspan(sample_bytes))
    hashes.push_back(xxh3_64(pixels.first(sample_bytes)));
  return hashes;
}

[[noreturn]] void refuse_dataset(const ComponentInfo& component, const std::string& what) {
  throw DataError(component.id + " " + component.version + " (" + component.file.string() +
                  "): " + what);
}

void check_count(const ComponentInfo& component, const char* name, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return;
  refuse_dataset(component, std::string("open() gives ") + name + " = " + std::to_string(value) +
                                "; it must be 1 to " + grouped(most));
}

void check_statistics(const ComponentInfo& component, const retort_dataset_info& info) {
  if (info.mean == nullptr || info.stddev == nullptr) {
    refuse_dataset(component, "open() gives no mean or no stddev; each needs a value a channel");
  }
  for (int64_t c = 0; c < info.channels; ++c) {
    // Written so that NaN is refused too.
    const bool mean_fits = info.mean[c] >= 0 && info.mean[c] <= 1;
    const bool stddev_fits = info.stddev[c] > 0 && info.stddev[c] <= 1;
    if (mean_fits && stddev_fits) continue;
    refuse_dataset(
        component,
        fmt::format("open() gives {} = {:g} for channel {}; it is of pixels in [0, 1], so {}",
                    mean_fits ? "stddev" : "mean", mean_fits ? info.stddev[c] : info.mean[c], c,
                    mean_fits ? "it must be above 0 and at most 1" : "it must be 0 to 1"));
  }
}

void check_class_names(const ComponentInfo& component, const retort_dataset_info& info) {
  if (info.class_names == nullptr) return;
  for (int64_t i = 0; i < info.class_count; ++i) {
    if (info.class_names[i] == nullptr) {
      refuse_dataset(component, "open() gives no name for class " + std::to_string(i) +
                                    "; give all " + std::to_string(info.class_count) +
                                    " names, or none");
    }
    const size_t length = std::strlen(info.class_names[i]);
    if (length <= kLongestClassName) continue;
    refuse_dataset(component,
                   fmt::format("open() gives class {} a name of {} bytes; it must be at most {}", i,
                               grouped(static_cast<int64_t>(length)),
                               grouped(static_cast<int64_t>(kLongestClassName))));
  }
}

/// All images are held in memory as bytes, their labels as int64.
void check_memory(const ComponentInfo& component, const retort_dataset_info& info,
                  int64_t train_count) {
  const double image = static_cast<double>(info.channels) * static_cast<double>(info.height) *
                       static_cast<double>(info.width);
  const double samples = static_cast<double>(train_count) + static_cast<double>(info.test_count);
  const double wanted = samples * (image + static_cast<double>(sizeof(int64_t)));
  const double there =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
  if (wanted <= there) return;
  constexpr double kGiB = 1024.0 * 1024 * 1024;
  throw EnvironmentError(
      fmt::format("{} {}: {} training and {} test images of {} x {} x {} take {:.1f} GiB; this "
                  "machine has {:.1f} "
                  "GiB of memory; take fewer with data.train_samples, or smaller ones",
                  component.id, component.version, grouped(train_count), grouped(info.test_count),
                  info.channels, info.height, info.width, wanted / kGiB, there / kGiB));
}

}  // namespace

void check_dataset_facts(const ComponentInfo& component, const retort_dataset_info& info,
                         int64_t train_count) {
  check_count(component, "train_count", info.train_count, kMostSamples);
  if (info.test_count == 0) {
    refuse_dataset(
        component,
        "open() gives test_count = 0: no test samples; every result is measured on them, so "
        "give at least 1 (hold some of the training samples back)");
  }
  check_count(component, "test_count", info.test_count, kMostSamples);
  check_count(component, "channels", info.channels, kMostChannels);
  check_count(component, "height", info.height, kMostSide);
  check_count(component, "width", info.width, kMostSide);
  check_count(component, "class_count", info.class_count, kMostClasses);
  check_memory(component, info, train_count);
  check_statistics(component, info);
  check_class_names(component, info);
}

void check_pixels(const ComponentInfo& component, const char* split,
                  std::span<const uint8_t> pixels, int64_t samples) {
  const auto sample_bytes = static_cast<int64_t>(pixels.size()) / samples;
  const std::optional<UnwrittenSamples> left_out = find_unwritten(pixels, sample_bytes);
  if (!left_out) return;
  refuse_dataset(component,
                 fmt::format("read() left out pixels of {} of {} {} samples, the first of them "
                             "sample {}; it must write every one that is asked for",
                             grouped(left_out->count), grouped(samples), split, left_out->first));
}

void check_labels(const ComponentInfo& component, const char* split,
                  std::span<const int64_t> labels, int64_t class_count) {
  const auto bad = std::find_if(labels.begin(), labels.end(),
                                [&](int64_t label) { return label < 0 || label >= class_count; });
  if (bad == labels.end()) return;
  const int64_t sample = bad - labels.begin();
  if (*bad == kUnwrittenLabel) {
    const int64_t left_out = std::count(labels.begin(), labels.end(), kUnwrittenLabel);
    refuse_dataset(component,
                   fmt::format("read() left out the labels of {} of {} {} samples, the first of "
                               "them sample {}; it must write every one that is asked for",
                               grouped(left_out), grouped(std::ssize(labels)), split, sample));
  }
  refuse_dataset(component, fmt::format("{} sample {} has label {}; labels are 0 to {}", split,
                                        sample, *bad, class_count - 1));
}

std::string describe_one_class(const retort_dataset_info& info, const char* split,
                               std::span<const int64_t> labels) {
  if (info.class_count < 2 || labels.size() < 2) return "";
  const int64_t first = labels[0];
  if (std::any_of(labels.begin(), labels.end(), [&](int64_t label) { return label != first; })) {
    return "";
  }
  const std::string name =
      info.class_names == nullptr ? "" : " \"" + safe_line(info.class_names[first]) + "\"";
  const bool cut = split == std::string_view("training") && std::ssize(labels) < info.train_count;
  return fmt::format("all {} {} labels are of class {}{}, of {} classes; check {}",
                     grouped(std::ssize(labels)), split, first, name, grouped(info.class_count),
                     cut ? "data.train_samples, which takes the first samples of the split"
                         : "the files, and what read() makes of them");
}

std::vector<std::string> describe_odd_images(std::span<const uint8_t> train,
                                             std::span<const uint8_t> test,
                                             std::span<const int64_t> train_labels,
                                             int64_t class_count, size_t sample_bytes) {
  std::vector<std::string> odd;
  const std::vector<int64_t> empty = find_empty_classes(train_labels, class_count);
  // With fewer samples a class may go without by chance.
  const bool told = std::ssize(empty) + 1 >= class_count;  // as of one class
  if (!empty.empty() && !told && std::ssize(train_labels) >= kSamplesAClass * class_count) {
    std::string list;
    for (size_t i = 0; i < std::min(empty.size(), kMostListed); ++i)
      list += (i == 0 ? "" : ", ") + std::to_string(empty[i]);
    odd.push_back(fmt::format("{} of {} classes have no training sample: {}{}", empty.size(),
                              grouped(class_count), list, empty.size() > kMostListed ? " .." : ""));
  }
  if (sample_bytes < kLeastBytes) return odd;
  const std::vector<uint64_t> hashes = hash_samples(train, sample_bytes);
  const std::unordered_set<uint64_t> known(hashes.begin(), hashes.end());
  if (hashes.size() > 1 && known.size() == 1) {
    const auto first = train.first(sample_bytes);
    const bool is_plain =
        std::all_of(first.begin(), first.end(), [&](uint8_t pixel) { return pixel == first[0]; });
    if (!is_plain) {  // else it is told as of one value
      odd.push_back(fmt::format("all {} training images are alike: nothing can be learnt from them",
                                grouped(std::ssize(hashes))));
    }
    return odd;
  }
  const std::vector<uint64_t> tested = hash_samples(test, sample_bytes);
  const int64_t shared = std::count_if(tested.begin(), tested.end(),
                                       [&](uint64_t hash) { return known.contains(hash); });
  if (2 * shared > std::ssize(tested)) {
    odd.push_back(
        fmt::format("{} of {} test images are training images too, byte by byte: an accuracy on "
                    "them tells what "
                    "was learnt by heart",
                    grouped(shared), grouped(std::ssize(tested))));
  }
  return odd;
}

}  // namespace retort::host
