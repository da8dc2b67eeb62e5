#pragma once

#include <array>
#include <cstdint>
#include <functional>

namespace retort::host {

/// A rectangle of an image.
struct Box {
  int64_t top = 0, left = 0, height = 0, width = 0;
  int64_t area() const { return height * width; }
};

/// Four random words: those of attempt number i.
using AttemptWords = std::function<std::array<uint32_t, 4>(uint64_t)>;

/// Draws what random erasing blanks: 0.02 to 0.33 of the image, with a ratio of height to width of
/// 0.3 to 3.3 (uniform in its logarithm), inside the image. The first attempt of ten that fits is
/// taken; an empty box where none does.
/// Source:  Zhong et al. 2017, arXiv:1708.04896, algorithm 1; draws as torchvision's RandomErasing.
Box draw_erased_box(int64_t height, int64_t width, const AttemptWords& words);

}  // namespace retort::host
