#pragma once

#include <cstdint>
#include <vector>

namespace retort::host {

/// Resizes images of bytes from one size to another: bilinear, and antialiased where it shrinks.
/// The result is that of PIL.Image.resize(size, BILINEAR), byte for byte: first each row and then
/// each column, each by sums in fixed point that are rounded to bytes. Pillow 13 begins with the
/// columns where that is less work, as for high and narrow images; there this is as Pillow 12.
/// Any thread may call it.
class Resizer {
 public:
  /// Memory to work in; its content means nothing.
  struct Scratch {
    std::vector<uint8_t> rows;
    std::vector<int32_t> sums;
  };

  Resizer(int64_t from_height, int64_t from_width, int64_t height, int64_t width);

  /// [C, H, W] to [C, height, width]; both a plane after the other.
  void resize(const uint8_t* image, int64_t channels, Scratch& scratch, uint8_t* out) const;

 private:
  /// What a position of a line is summed from: as many positions of the old line, from `first` on.
  struct Window {
    int64_t first;
    std::vector<int32_t> weights;
  };
  struct Line {
    Line(int64_t from, int64_t to);
    int64_t from, to;
    std::vector<Window> windows;
  };

  void resize_rows(const uint8_t* image, int64_t rows, uint8_t* out) const;
  void resize_columns(const uint8_t* plane, std::vector<int32_t>& sums, uint8_t* out) const;

  Line across_, down_;
};

}  // namespace retort::host
