#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/plugin/manifest.hpp"
#include "retort/abi.h"

namespace retort::host {

/// Checks what a data set's open() says of itself, before memory is taken for it: counts and sizes in
/// their ranges, test samples there, images that fit into this machine's memory, and usable means,
/// deviations and class names. `train_count` is how many training samples are to be read.
/// Throws: DataError that names the component, the value and what is accepted; EnvironmentError where
///         the images are more than the machine's memory.
void check_dataset_facts(const ComponentInfo& component, const retort_dataset_info& info,
                         int64_t train_count);

/// What an array of labels holds before read() writes them.
inline constexpr int64_t kUnwrittenLabel = INT64_MIN;

/// Checks the pixels that read() wrote into an array that was filled by fill_unwritten().
/// `split` is "training" or "test", here and below. Throws: DataError that names the first sample of
/// which some were left out, and how many there are.
void check_pixels(const ComponentInfo& component, const char* split,
                  std::span<const uint8_t> pixels, int64_t samples);

/// Checks the labels that read() wrote into an array that held kUnwrittenLabel.
/// Throws: DataError that names the sample.
void check_labels(const ComponentInfo& component, const char* split,
                  std::span<const int64_t> labels, int64_t class_count);

/// What to warn of where all labels of a split are of one class and the data set has others: the class
/// with its name. "" where they are not, and for a single sample.
std::string describe_one_class(const retort_dataset_info& info, const char* split,
                               std::span<const int64_t> labels);

/// What to warn of in images and labels that are otherwise sound: classes without a training sample,
/// training images that are all alike, test images that are training images too. A sentence each.
/// Pixels are [N, bytes of a sample] of each split.
std::vector<std::string> describe_odd_images(std::span<const uint8_t> train,
                                             std::span<const uint8_t> test,
                                             std::span<const int64_t> train_labels,
                                             int64_t class_count, size_t sample_bytes);

}  // namespace retort::host
