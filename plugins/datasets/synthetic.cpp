#include <retort/dataset.hpp>

#include <algorithm>
#include <cmath>

using namespace retort;

namespace {

/// A generator whose numbers are a function of (seed, stream, position) alone, so any sample can be
/// made at any time.
/// Source:  Steele et al. 2014, "Fast splittable pseudorandom number generators", SplitMix64.
class Counter {
 public:
  Counter(uint64_t seed, uint64_t stream) : key_(mix(mix(seed) + stream)) {}

  uint64_t word(uint64_t position) const { return mix(key_ + position * 0x9E3779B97F4A7C15u); }
  /// In [-1, 1).
  double uniform(uint64_t position) const {
    return static_cast<double>(word(position) >> 11) * 0x1p-52 - 1;
  }
  /// Mean 0, standard deviation 1, near enough to normal: the sum of four 16-bit numbers.
  double normal(uint64_t position) const {
    const uint64_t w = word(position);
    const uint64_t sum = (w & 0xffff) + (w >> 16 & 0xffff) + (w >> 32 & 0xffff) + (w >> 48);
    return (static_cast<double>(sum) - 2 * 65535.0) / 37836.8;
  }

 private:
  static uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
  }

  uint64_t key_;
};

/// Learnable images without a file: each class is a smooth random pattern, each sample the pattern
/// of its class plus noise. Labels go round the classes.
///   pixel = 255 clamp(0.5 + 0.25 (pattern + noise normal), 0, 1)
/// Source:  ours; a pattern interpolates a 4 x 4 grid of uniform numbers in [-1, 1).
/// Output:  pixels [count, channels, size, size]; the same bytes on every machine.
/// Params:  classes, channels, size, train, test; noise >= 0, default 0.5, in units of the
///          pattern's range; seed.
class Synthetic final : public Dataset {
 public:
  struct Options {
    int64_t classes = 10;
    int64_t channels = 1;
    int64_t size = 16;
    int64_t train = 2048;
    int64_t test = 512;
    double noise = 0.5;
    int64_t seed = 1;
  } options;

  DatasetInfo open() override {
    DatasetInfo info;
    info.train_count = options.train;
    info.test_count = options.test;
    info.channels = options.channels;
    info.height = options.size;
    info.width = options.size;
    info.class_count = options.classes;
    measure(info);
    return info;
  }

  void read(Split split, int64_t first, int64_t count, uint8_t* pixels, int64_t* labels) override {
    for (int64_t i = first; i < first + count; ++i) {
      *labels = i % options.classes;
      draw(split, i, *labels++, pixels);
      pixels += sample_bytes();
    }
  }

 private:
  static constexpr int64_t kGrid = 4;

  int64_t sample_bytes() const { return options.channels * options.size * options.size; }

  /// Fills in mean and stddev, measured on the first samples.
  void measure(DatasetInfo& info) {
    const int64_t count = std::min<int64_t>(options.train, 256);
    std::vector<uint8_t> pixels(static_cast<size_t>(count * sample_bytes()));
    std::vector<int64_t> labels(static_cast<size_t>(count));
    read(Split::Train, 0, count, pixels.data(), labels.data());
    const int64_t plane = options.size * options.size;
    for (int64_t channel = 0; channel < options.channels; ++channel) {
      double sum = 0, squares = 0;
      for (int64_t i = 0; i < count; ++i) {
        const uint8_t* at = pixels.data() + (i * options.channels + channel) * plane;
        for (int64_t k = 0; k < plane; ++k) {
          sum += at[k] / 255.0;
          squares += at[k] / 255.0 * (at[k] / 255.0);
        }
      }
      const double n = static_cast<double>(count * plane);
      info.mean.push_back(sum / n);
      info.stddev.push_back(std::sqrt(std::max(squares / n - sum / n * (sum / n), 1e-6)));
    }
  }

  void draw(Split split, int64_t index, int64_t label, uint8_t* pixels) const {
    const auto seed = static_cast<uint64_t>(options.seed);
    const Counter patterns(seed, 0);
    const Counter noise(seed,
                        1 + 2 * static_cast<uint64_t>(index) + (split == Split::Test ? 1 : 0));
    for (int64_t channel = 0, at = 0; channel < options.channels; ++channel) {
      double grid[kGrid * kGrid];
      for (int64_t i = 0; i < kGrid * kGrid; ++i) {
        const int64_t position = (label * options.channels + channel) * kGrid * kGrid + i;
        grid[i] = patterns.uniform(static_cast<uint64_t>(position));
      }
      for (int64_t y = 0; y < options.size; ++y) {
        for (int64_t x = 0; x < options.size; ++x, ++at) {
          const double value =
              interpolate(grid, y, x) + options.noise * noise.normal(static_cast<uint64_t>(at));
          pixels[at] = static_cast<uint8_t>(255 * std::clamp(0.5 + 0.25 * value, 0.0, 1.0) + 0.5);
        }
      }
    }
  }

  /// The grid stretched over the image, bilinearly.
  double interpolate(const double* grid, int64_t y, int64_t x) const {
    const double scale = static_cast<double>(kGrid - 1) / static_cast<double>(options.size);
    const double v = (static_cast<double>(y) + 0.5) * scale;
    const double u = (static_cast<double>(x) + 0.5) * scale;
    const auto row = static_cast<int64_t>(v), column = static_cast<int64_t>(u);
    const double down = v - static_cast<double>(row), right = u - static_cast<double>(column);
    const double* at = grid + row * kGrid + column;
    const double above = at[0] + right * (at[1] - at[0]);
    const double below = at[kGrid] + right * (at[kGrid + 1] - at[kGrid]);
    return above + down * (below - above);
  }
};

}  // namespace

RETORT_DATASET(Synthetic, "synthetic", "1.0.0", "Noisy patterns made on the spot: no files",
               licence("MIT"),
               option("classes", &Synthetic::Options::classes).at_least(2).at_most(1'000'000),
               option("channels", &Synthetic::Options::channels).at_least(1).at_most(16),
               option("size", &Synthetic::Options::size)
                   .at_least(1)
                   .at_most(512)
                   .unit("pixels")
                   .help("height and width"),
               option("train", &Synthetic::Options::train).at_least(1).unit("samples"),
               option("test", &Synthetic::Options::test).at_least(1).unit("samples"),
               option("noise", &Synthetic::Options::noise)
                   .at_least(0)
                   .help("0: every sample of a class alike"),
               option("seed", &Synthetic::Options::seed).help("of patterns and noise"))
