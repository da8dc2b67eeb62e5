#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace retort::host {

/// One image in bytes, a plane after the other, with room to work in.
struct PlanarImage {
  PlanarImage(int64_t channels_, int64_t height_, int64_t width_)
      : channels(channels_),
        height(height_),
        width(width_),
        pixels(static_cast<size_t>(channels_ * height_ * width_)),
        scratch(pixels.size()) {}

  int64_t plane_size() const { return height * width; }
  uint8_t* plane(int64_t channel) { return pixels.data() + channel * plane_size(); }

  int64_t channels, height, width;
  std::vector<uint8_t> pixels;
  std::vector<uint8_t> scratch;  // as large as pixels; its content means nothing
};

// Changes to an image in place, as PIL defines them for modes L (1 channel) and RGB (3).

/// output(x, y) = input(floor(x'), floor(y')), 0 outside, where at pixel centres
///   x' = m[0] x + m[1] y + m[2],   y' = m[3] x + m[4] y + m[5]
void affine(PlanarImage& image, const std::array<double, 6>& m);
/// Turns counter-clockwise about the centre.
void rotate(PlanarImage& image, double degrees);

/// Turns a square image counter-clockwise by a number of quarters, 0 to 3.
void turn(PlanarImage& image, int quarters);

/// Keeps the highest `bits` bits.
void posterize(PlanarImage& image, int bits);
/// Inverts the pixels that are at least the threshold.
void solarize(PlanarImage& image, double threshold);
/// Stretches each channel to 0 .. 255.
void autocontrast(PlanarImage& image);
/// Makes each channel's histogram flat.
void equalize(PlanarImage& image);

// PIL's enhancements: degenerate + factor (image - degenerate), cut off below and kept in 0 .. 255.

/// The degenerate image is black.
void adjust_brightness(PlanarImage& image, double factor);
/// The degenerate image is grey: 0.299 R + 0.587 G + 0.114 B. One channel stays as it is.
void adjust_color(PlanarImage& image, double factor);
/// The degenerate image is the mean of the grey one.
void adjust_contrast(PlanarImage& image, double factor);
/// The degenerate image is smoothed by [1 1 1; 1 5 1; 1 1 1] / 13, its border left as it is.
void adjust_sharpness(PlanarImage& image, double factor);

}  // namespace retort::host
