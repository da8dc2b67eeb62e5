#include <retort/dataset.hpp>

#include <algorithm>
#include <limits>

using namespace retort;

namespace {

/// A sound small data set, of which each option makes something else wrong: what open() gives, or what
/// read() writes.
class OddData final : public Dataset {
 public:
  enum class Part { Nothing, Labels, Pixels, Sample, HalfOfTwo };
  struct Options {
    int64_t train = 64;
    int64_t test = 32;
    int64_t channels = 1;
    int64_t height = 8;
    int64_t width = 8;
    int64_t classes = 4;
    double mean = 0.5;
    double stddev = 0.25;
    int64_t label = -1;
    int64_t test_label = -1;
    int64_t one_class = -1;
    int64_t one_test_class = -1;
    int64_t name_bytes = 0;
    int64_t pixel = -1;
    int64_t empty_class = -1;
    bool alike = false;
    bool test_is_train = false;
    Part leaves_out = Part::Nothing;
  } options;

  DatasetInfo open() override {
    DatasetInfo info;
    info.train_count = options.train;
    info.test_count = options.test;
    info.channels = options.channels;
    info.height = options.height;
    info.width = options.width;
    info.class_count = options.classes;
    const auto values = static_cast<size_t>(std::clamp<int64_t>(options.channels, 0, 100'000));
    const double nan = std::numeric_limits<double>::quiet_NaN();
    info.mean.assign(values, options.mean == -1 ? nan : options.mean);
    info.stddev.assign(values, options.stddev == -1 ? nan : options.stddev);
    for (int64_t i = 0; i < options.classes && options.name_bytes > 0; ++i)
      info.class_names.emplace_back(static_cast<size_t>(options.name_bytes),
                                    static_cast<char>('a' + i));
    return info;
  }

  void read(Split split, int64_t first, int64_t count, uint8_t* pixels, int64_t* labels) override {
    const int64_t image = options.channels * options.height * options.width;
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t k = left_out_of(i, image); k < image; ++k)
        pixels[i * image + k] =
            static_cast<uint8_t>(options.pixel == -1 ? seed(split, i) + k : options.pixel);
    }
    const int64_t written = options.leaves_out == Part::Labels ? count - 1 : count;
    for (int64_t i = 0; i < written; ++i) labels[i] = (first + i) % options.classes;
    const int64_t only = split == Split::Train ? options.one_class : options.one_test_class;
    if (only != -1) std::fill_n(labels, count, only);
    if (options.empty_class != -1)
      std::replace(labels, labels + count, options.empty_class,
                   (options.empty_class + 1) % options.classes);
    const int64_t odd = split == Split::Train ? options.label : options.test_label;
    if (odd != -1) labels[count / 2] = odd;
  }

 private:
  /// Decides a sample's pixels; test samples differ from the first 100 training samples.
  int64_t seed(Split split, int64_t sample) const {
    if (options.alike) return 0;
    return sample + (split == Split::Test && !options.test_is_train ? 101 : 0);
  }
  /// How many pixels of a sample are not written, from its first on.
  int64_t left_out_of(int64_t sample, int64_t image) const {
    if (options.leaves_out == Part::Pixels) return image;
    if (options.leaves_out == Part::Sample) return sample == 5 ? image : 0;
    if (options.leaves_out == Part::HalfOfTwo) return sample == 3 || sample == 9 ? image / 2 : 0;
    return 0;
  }
};

}  // namespace

RETORT_DATASET(
    OddData, "test.odd_data", "1.0.0", "Wrong where an option says so",
    option("train", &OddData::Options::train), option("test", &OddData::Options::test),
    option("channels", &OddData::Options::channels), option("height", &OddData::Options::height),
    option("width", &OddData::Options::width), option("classes", &OddData::Options::classes),
    option("mean", &OddData::Options::mean).help("-1: NaN"),
    option("stddev", &OddData::Options::stddev).help("-1: NaN"),
    option("label", &OddData::Options::label).help("of one sample; -1: a right one"),
    option("test_label", &OddData::Options::test_label).help("the same of a test sample"),
    option("one_class", &OddData::Options::one_class).help("of all training samples; -1: all"),
    option("one_test_class", &OddData::Options::one_test_class).help("the same of test samples"),
    option("name_bytes", &OddData::Options::name_bytes).help("of each class; 0: no names"),
    option("pixel", &OddData::Options::pixel).help("every one of them; -1: different ones"),
    option("empty_class", &OddData::Options::empty_class).help("of no sample; -1: none"),
    option("alike", &OddData::Options::alike).help("all images"),
    option("test_is_train", &OddData::Options::test_is_train).help("the first of its images"),
    option("leaves_out", &OddData::Options::leaves_out)
        .one_of("nothing", "labels", "pixels", "sample", "half_of_two")
        .help("what read() does not write"))
