#include <retort/dataset.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>

using namespace retort;

namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
constexpr uint32_t kImagesMagic = 0x0803;  // unsigned bytes, 3 dimensions
constexpr uint32_t kLabelsMagic = 0x0801;  // unsigned bytes, 1 dimension
constexpr int64_t kClasses = 10;

/// An open IDX file: a magic number, a big-endian 32-bit size for each dimension, the bytes.
class IdxFile {
 public:
  IdxFile() = default;
  /// Checks the header, and that the file is as long as the header says. The header is read alone
  /// first, and then not more than it announces: a small gzip file may inflate to anything.
  IdxFile(const std::string& path, uint32_t magic) : rank_(magic & 0xff) {
    file_ = File::head(path, data_offset());
    const uint64_t item_bytes = check_header(magic);
    const uint64_t wanted = size(0) * item_bytes;
    file_ = File::head(path, data_offset() + wanted + 1);
    const uint64_t bytes = file_.size() - data_offset();
    if (bytes != wanted) {
      fail(data_offset() + std::min(bytes, wanted),
           bytes < wanted ? "the file ends" : "the file goes on",
           std::to_string(size(0)) + " items of " + std::to_string(item_bytes) + " bytes");
    }
  }

  uint32_t size(uint32_t dimension) const { return word(4 + 4 * dimension); }
  const uint8_t* data() const { return file_.data() + data_offset(); }
  uint64_t data_offset() const { return 4 + 4 * uint64_t{rank_}; }

  [[noreturn]] void fail(uint64_t offset, const std::string& found,
                         const std::string& wanted) const {
    throw DataError(file_.path() + ": byte " + std::to_string(offset) + ": " + found + "; wanted " +
                    wanted + ". Fetch the file again");
  }

 private:
  /// The bytes of an item, where items and data are as large as may be.
  uint64_t check_header(uint32_t magic) const {
    if (file_.size() < data_offset()) {
      fail(file_.size(), "the file ends", std::to_string(data_offset()) + " bytes of header");
    }
    if (word(0) != magic) fail(0, "magic number " + hex(word(0)), hex(magic));
    uint64_t item_bytes = 1;  // at most (2^32 - 1)^2, which fits
    for (uint32_t i = 0; i < rank_; ++i) {
      if (size(i) == 0) fail(4 + 4 * i, "a size of 0", "1 or more");
      if (i > 0) item_bytes *= size(i);
    }
    if (item_bytes > kMaxBytes / size(0)) {
      fail(4, std::to_string(size(0)) + " items of " + std::to_string(item_bytes) + " bytes",
           "at most " + std::to_string(kMaxBytes) + " bytes in all");
    }
    return item_bytes;
  }
  uint32_t word(uint64_t offset) const {
    const uint8_t* at = file_.data() + offset;
    return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
  }
  static std::string hex(uint32_t word) {
    std::string out = "0x";
    for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[word >> shift & 15];
    return out;
  }

  File file_;
  uint32_t rank_ = 0;
};

/// One split: images and their labels.
struct IdxSplit {
  IdxFile images;
  IdxFile labels;

  void check() const {
    if (labels.size(0) != images.size(0)) {
      labels.fail(4, std::to_string(labels.size(0)) + " labels",
                  std::to_string(images.size(0)) + ", a label for each image");
    }
    for (uint32_t i = 0; i < labels.size(0); ++i) {
      if (labels.data()[i] >= kClasses) {
        labels.fail(labels.data_offset() + i, "label " + std::to_string(labels.data()[i]),
                    "0 to 9");
      }
    }
  }
  void check_same_size(const IdxSplit& train) const {
    for (uint32_t i = 1; i <= 2; ++i) {
      if (images.size(i) != train.images.size(i)) {
        images.fail(4 + 4 * i, std::to_string(images.size(i)) + (i == 1 ? " rows" : " columns"),
                    std::to_string(train.images.size(i)) + " as in the training images");
      }
    }
  }
};

/// Grey images in the four IDX files of MNIST and its successors, each plain or gzipped (.gz).
/// Source:  Y. LeCun, "The MNIST database", file format. About is FashionMnist or Mnist: the class
///          names, the statistics, and how to get the files.
/// Output:  pixels [count, 1, H, W]; 10 classes.
/// Params:  root  the folder that holds train-images-idx3-ubyte and the other three.
/// Throws:  DataError that names a missing file, or the offset of what is wrong in one.
template <class About>
class Idx final : public Dataset {
 public:
  using Options = typename About::Options;
  Options options;

  DatasetInfo open() override {
    train_ = open_split("train");
    test_ = open_split("t10k");
    test_.check_same_size(train_);
    DatasetInfo info;
    info.train_count = train_.images.size(0);
    info.test_count = test_.images.size(0);
    info.channels = 1;
    info.height = train_.images.size(1);
    info.width = train_.images.size(2);
    info.class_count = kClasses;
    info.mean = {About::kMean};
    info.stddev = {About::kStddev};
    info.class_names = About::class_names();
    return info;
  }

  void read(Split split, int64_t first, int64_t count, uint8_t* pixels, int64_t* labels) override {
    const IdxSplit& from = split == Split::Train ? train_ : test_;
    const auto image_bytes = static_cast<size_t>(from.images.size(1)) * from.images.size(2);
    std::memcpy(pixels, from.images.data() + static_cast<size_t>(first) * image_bytes,
                static_cast<size_t>(count) * image_bytes);
    std::copy_n(from.labels.data() + first, count, labels);
  }

 private:
  IdxSplit open_split(const std::string& name) const {
    IdxSplit split{IdxFile(path_of(name + "-images-idx3-ubyte"), kImagesMagic),
                   IdxFile(path_of(name + "-labels-idx1-ubyte"), kLabelsMagic)};
    split.check();
    return split;
  }

  std::string path_of(const std::string& name) const {
    const std::string path = (std::filesystem::path(options.root) / name).string();
    std::error_code ignored;
    for (const char* suffix : {"", ".gz"}) {
      if (std::filesystem::exists(path + suffix, ignored)) return path + suffix;
    }
    throw DataError(path + ": no such file, nor with .gz; " + About::kRemedy +
                    ", or name the folder that holds it: data.root = \"FOLDER\"");
  }

  IdxSplit train_;
  IdxSplit test_;
};

struct FashionMnist {
  struct Options {
    std::string_view root = "/usr/share/datasets/fashion-mnist";
  };
  static constexpr double kMean = 0.2860406, kStddev = 0.3530242;
  static constexpr const char* kRemedy =
      "install Debian's data set (sudo apt-get install dataset-fashion-mnist)";
  static std::vector<std::string> class_names() {
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
            "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  }
};

struct Mnist {
  struct Options {
    std::string_view root = "data/mnist";
  };
  static constexpr double kMean = 0.1306604, kStddev = 0.3081078;
  static constexpr const char* kRemedy = "fetch the four files of MNIST into that folder";
  static std::vector<std::string> class_names() {
    return {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  }
};

}  // namespace

RETORT_PLUGIN(
    dataset<Idx<FashionMnist>>(
        "fashion_mnist", "1.0.0", "Fashion-MNIST: 70,000 grey 28 x 28 articles (Xiao 2017)",
        licence("MIT"),
        option("root", &FashionMnist::Options::root).help("folder of the four IDX files")),
    dataset<Idx<Mnist>>("mnist", "1.0.0", "MNIST: 70,000 grey 28 x 28 digits (LeCun 1998)",
                        licence("MIT"),
                        option("root", &Mnist::Options::root).help("folder of the four IDX files")))
