#include "framework/data/image_ops.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retort::host {
namespace {

using Table = std::array<uint8_t, 256>;

void look_up(uint8_t* pixels, int64_t count, const Table& table) {
  for (int64_t i = 0; i < count; ++i) pixels[i] = table[pixels[i]];
}

template <class Function>
Table table_of(Function&& function) {
  Table table;
  for (int level = 0; level < 256; ++level) {
    table[static_cast<size_t>(level)] = static_cast<uint8_t>(function(level));
  }
  return table;
}

std::array<int64_t, 256> histogram(const uint8_t* pixels, int64_t count) {
  std::array<int64_t, 256> histogram{};
  for (int64_t i = 0; i < count; ++i) ++histogram[pixels[i]];
  return histogram;
}

uint8_t blend(uint8_t degenerate, uint8_t pixel, float factor) {
  const float from = degenerate;
  const float value = from + factor * (static_cast<float>(pixel) - from);
  return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

/// PIL's conversion of mode RGB to L, in 16-bit fixed point.
uint8_t grey(PlanarImage& image, int64_t pixel) {
  if (image.channels == 1) return image.plane(0)[pixel];
  const uint32_t sum = image.plane(0)[pixel] * 19595u + image.plane(1)[pixel] * 38470u +
                       image.plane(2)[pixel] * 7471u + 0x8000u;
  return static_cast<uint8_t>(sum >> 16);
}

}  // namespace

void affine(PlanarImage& image, const std::array<double, 6>& m) {
  // In 16-bit fixed point, as PIL, so that both take the same pixel where two are alike near.
  const auto fixed = [](double value) {
    return static_cast<int64_t>(std::floor(value * 65536 + 0.5));
  };
  const int64_t height = image.height, width = image.width, plane = image.plane_size();
  const int64_t x_by_x = fixed(m[0]), x_by_y = fixed(m[1]);
  const int64_t y_by_x = fixed(m[3]), y_by_y = fixed(m[4]);
  int64_t row_x = fixed(m[2] + 0.5 * m[0] + 0.5 * m[1]);
  int64_t row_y = fixed(m[5] + 0.5 * m[3] + 0.5 * m[4]);
  uint8_t* out = image.scratch.data();
  for (int64_t y = 0; y < height; ++y, row_x += x_by_y, row_y += y_by_y) {
    int64_t at_x = row_x, at_y = row_y;
    for (int64_t x = 0; x < width; ++x, ++out, at_x += x_by_x, at_y += y_by_x) {
      const int64_t from_x = at_x >> 16, from_y = at_y >> 16;
      const bool inside = from_x >= 0 && from_x < width && from_y >= 0 && from_y < height;
      for (int64_t c = 0; c < image.channels; ++c) {
        out[c * plane] = inside ? image.plane(c)[from_y * width + from_x] : uint8_t{0};
      }
    }
  }
  image.pixels.swap(image.scratch);
}

void rotate(PlanarImage& image, double degrees) {
  const double radians = degrees * std::numbers::pi / 180;
  const double c = std::cos(radians), s = std::sin(radians);
  const double x = static_cast<double>(image.width) / 2, y = static_cast<double>(image.height) / 2;
  affine(image, {c, -s, x - c * x + s * y, s, c, y - s * x - c * y});
}

void turn(PlanarImage& image, int quarters) {
  const int64_t side = image.height, last = side - 1;
  for (; quarters > 0; --quarters) {
    uint8_t* out = image.scratch.data();
    for (int64_t c = 0; c < image.channels; ++c) {
      const uint8_t* plane = image.plane(c);
      for (int64_t y = 0; y < side; ++y)
        for (int64_t x = 0; x < side; ++x) *out++ = plane[x * side + last - y];
    }
    image.pixels.swap(image.scratch);
  }
}

void posterize(PlanarImage& image, int bits) {
  const auto mask = static_cast<uint8_t>(0xFF00 >> bits);
  for (uint8_t& pixel : image.pixels) pixel &= mask;
}

void solarize(PlanarImage& image, double threshold) {
  const Table table = table_of([&](int level) { return level < threshold ? level : 255 - level; });
  look_up(image.pixels.data(), std::ssize(image.pixels), table);
}

void autocontrast(PlanarImage& image) {
  for (int64_t c = 0; c < image.channels; ++c) {
    uint8_t* plane = image.plane(c);
    const auto [least, most] = std::minmax_element(plane, plane + image.plane_size());
    if (*least == *most) continue;
    const double scale = 255.0 / (*most - *least), offset = -*least * scale;
    const Table table =
        table_of([&](int level) { return std::clamp(level * scale + offset, 0.0, 255.0); });
    look_up(plane, image.plane_size(), table);
  }
}

void equalize(PlanarImage& image) {
  for (int64_t c = 0; c < image.channels; ++c) {
    uint8_t* plane = image.plane(c);
    const auto counts = histogram(plane, image.plane_size());
    const int64_t brightest =
        *std::find_if(counts.rbegin(), counts.rend(), [](int64_t count) { return count != 0; });
    const int64_t step = (image.plane_size() - brightest) / 255;
    if (step == 0) continue;
    int64_t below = step / 2;
    const Table table = table_of([&](int level) {
      const int64_t value = std::min<int64_t>(below / step, 255);
      below += counts[static_cast<size_t>(level)];
      return value;
    });
    look_up(plane, image.plane_size(), table);
  }
}

void adjust_brightness(PlanarImage& image, double factor) {
  const Table table = table_of(
      [&](int level) { return blend(0, static_cast<uint8_t>(level), static_cast<float>(factor)); });
  look_up(image.pixels.data(), std::ssize(image.pixels), table);
}

void adjust_color(PlanarImage& image, double factor) {
  if (image.channels == 1) return;
  for (int64_t i = 0; i < image.plane_size(); ++i) {
    const uint8_t degenerate = grey(image, i);
    for (int64_t c = 0; c < image.channels; ++c) {
      image.plane(c)[i] = blend(degenerate, image.plane(c)[i], static_cast<float>(factor));
    }
  }
}

void adjust_contrast(PlanarImage& image, double factor) {
  int64_t sum = 0;
  for (int64_t i = 0; i < image.plane_size(); ++i) sum += grey(image, i);
  const auto mean = static_cast<uint8_t>(
      static_cast<double>(sum) / static_cast<double>(image.plane_size()) + 0.5);
  const Table table = table_of([&](int level) {
    return blend(mean, static_cast<uint8_t>(level), static_cast<float>(factor));
  });
  look_up(image.pixels.data(), std::ssize(image.pixels), table);
}

void adjust_sharpness(PlanarImage& image, double factor) {
  const int64_t height = image.height, width = image.width;
  image.scratch = image.pixels;
  for (int64_t c = 0; c < image.channels; ++c) {
    const uint8_t* from = image.scratch.data() + c * image.plane_size();
    uint8_t* to = image.plane(c);
    for (int64_t y = 1; y + 1 < height; ++y) {
      for (int64_t x = 1; x + 1 < width; ++x) {
        const uint8_t* centre = from + y * width + x;
        int sum = 4 * *centre;
        for (const int64_t row : {-width, int64_t{0}, width}) {
          sum += centre[row - 1] + centre[row] + centre[row + 1];
        }
        const auto smooth = static_cast<uint8_t>((2 * sum + 13) / 26);  // rounded; never halfway
        to[y * width + x] = blend(smooth, *centre, static_cast<float>(factor));
      }
    }
  }
}

}  // namespace retort::host
