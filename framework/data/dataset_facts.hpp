#pragma once

#include <cstdint>

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

/// Checks the labels that read() wrote into an array that held kUnwrittenLabel.
/// `split` is "training" or "test". Throws: DataError that names the sample.
void check_labels(const ComponentInfo& component, const char* split, const int64_t* labels,
                  int64_t count, int64_t class_count);

}  // namespace retort::host
