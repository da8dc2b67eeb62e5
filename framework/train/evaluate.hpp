#pragma once

#include <cstdint>

#include "framework/data/views.hpp"
#include "framework/train/network.hpp"

namespace retort::host {

/// How a network does on a split.
struct Accuracy {
  int64_t correct = 0;
  int64_t total = 0;
  double top1() const {
    return total == 0 ? 0 : 100.0 * static_cast<double>(correct) / static_cast<double>(total);
  }
};

/// Counts the images of a split whose largest logit is the label, in evaluation mode without
/// gradients.
Accuracy evaluate(Network& network, const ImageData& data, const ViewMaker& views,
                  int64_t batch_size, EvalSplit split = EvalSplit::Test);

}  // namespace retort::host
