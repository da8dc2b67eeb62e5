#include <retort/dataset.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>

using namespace retort;

namespace {

constexpr int64_t kSide = 32;
constexpr uint64_t kImageBytes = 3 * kSide * kSide;  // planes of red, green, blue; row by row

/// What differs between the two data sets. A record is `label_bytes` labels, of which the last
/// counts, and an image.
struct Layout {
  const char* folder;  // that the archive unpacks to
  const char* archive;
  const char* names_file;
  int64_t class_count;
  uint64_t label_bytes;
  uint64_t records_per_train_file;
  std::vector<const char*> train_files;
  const char* test_file;
  std::vector<double> mean;
  std::vector<double> stddev;

  uint64_t record_bytes() const { return label_bytes + kImageBytes; }
};

constexpr uint64_t kTestRecords = 10000;

/// The images in the binary layout of CIFAR's authors.
/// Source:  A. Krizhevsky 2009, "Learning multiple layers of features from tiny images"; layout of
///          www.cs.toronto.edu/~kriz/cifar.html, "binary version". About is Cifar10 or Cifar100.
/// Output:  pixels [count, 3, 32, 32]. Class names come from the text file beside the images; there
///          are none without it.
/// Params:  root  the unpacked folder, or the folder that holds it.
/// Throws:  DataError that names a missing file, or the offset of what is wrong in one.
template <class About>
class Cifar final : public Dataset {
 public:
  using Options = typename About::Options;
  Options options;

  DatasetInfo open() override {
    for (const char* name : layout_.train_files) {
      train_.push_back(open_records(name, layout_.records_per_train_file));
    }
    test_.push_back(open_records(layout_.test_file, kTestRecords));
    DatasetInfo info;
    info.train_count = static_cast<int64_t>(train_.size() * layout_.records_per_train_file);
    info.test_count = static_cast<int64_t>(kTestRecords);
    info.channels = 3;
    info.height = kSide;
    info.width = kSide;
    info.class_count = layout_.class_count;
    info.mean = layout_.mean;
    info.stddev = layout_.stddev;
    info.class_names = read_names();
    return info;
  }

  void read(Split split, int64_t first, int64_t count, uint8_t* pixels, int64_t* labels) override {
    const std::vector<File>& files = split == Split::Train ? train_ : test_;
    const auto begin = static_cast<uint64_t>(first);
    for (uint64_t i = begin; i < begin + static_cast<uint64_t>(count); ++i) {
      const uint64_t per_file = files[0].size() / layout_.record_bytes();
      const uint8_t* record = files[i / per_file].data() + i % per_file * layout_.record_bytes();
      *labels++ = record[layout_.label_bytes - 1];
      std::memcpy(pixels, record + layout_.label_bytes, kImageBytes);
      pixels += kImageBytes;
    }
  }

 private:
  std::filesystem::path path_of(const char* name) const {
    const std::filesystem::path root(options.root);
    std::error_code ignored;
    const auto inside = root / layout_.folder / name;
    return std::filesystem::exists(inside, ignored) ? inside : root / name;
  }

  File open_records(const char* name, uint64_t records) const {
    const std::filesystem::path path = path_of(name);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) {
      throw DataError(path.string() + ": no such file, nor in " + layout_.folder + "; unpack " +
                      layout_.archive +
                      " (www.cs.toronto.edu/~kriz/cifar.html), and "
                      "name the folder: data.root = \"FOLDER\"");
    }
    const uint64_t wanted = records * layout_.record_bytes();
    File file(path.string(), wanted + layout_.record_bytes());
    if (file.size() != wanted) {
      fail(file, std::min(file.size(), wanted),
           "the file has " + std::to_string(file.size()) + " bytes",
           std::to_string(wanted) + ": " + std::to_string(records) + " records of " +
               std::to_string(layout_.record_bytes()));
    }
    for (uint64_t at = layout_.label_bytes - 1; at < wanted; at += layout_.record_bytes()) {
      if (file.data()[at] >= layout_.class_count) {
        fail(file, at, "label " + std::to_string(file.data()[at]),
             "0 to " + std::to_string(layout_.class_count - 1));
      }
    }
    return file;
  }

  std::vector<std::string> read_names() const {
    constexpr uint64_t kMaxBytes = 1 << 16;
    const std::filesystem::path path = path_of(layout_.names_file);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return {};
    const File file(path.string(), kMaxBytes);
    std::vector<std::string> names(1);
    for (uint64_t i = 0; i < file.size(); ++i) {
      const char letter = static_cast<char>(file.data()[i]);
      if (letter != '\n' && letter != '\r') {
        names.back() += letter;
      } else if (!names.back().empty()) {
        names.emplace_back();
      }
    }
    if (names.back().empty()) names.pop_back();
    if (static_cast<int64_t>(names.size()) != layout_.class_count) {
      fail(file, file.size(), std::to_string(names.size()) + " class names",
           std::to_string(layout_.class_count) + ", one a line");
    }
    return names;
  }

  [[noreturn]] static void fail(const File& file, uint64_t offset, const std::string& found,
                                const std::string& wanted) {
    throw DataError(file.path() + ": byte " + std::to_string(offset) + ": " + found + "; wanted " +
                    wanted + ". Unpack the archive again");
  }

  const Layout layout_ = About::layout();
  std::vector<File> train_;
  std::vector<File> test_;
};

struct Cifar10 {
  struct Options {
    std::string_view root = "data/cifar10";
  };
  static Layout layout() {
    return {"cifar-10-batches-bin",
            "cifar-10-binary.tar.gz",
            "batches.meta.txt",
            10,
            1,
            10000,
            {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
             "data_batch_5.bin"},
            "test_batch.bin",
            {0.4914, 0.4822, 0.4465},
            {0.2470, 0.2435, 0.2616}};
  }
};

struct Cifar100 {
  struct Options {
    std::string_view root = "data/cifar100";
  };
  static Layout layout() {
    return {"cifar-100-binary",
            "cifar-100-binary.tar.gz",
            "fine_label_names.txt",
            100,
            2,
            50000,
            {"train.bin"},
            "test.bin",
            {0.5071, 0.4867, 0.4408},
            {0.2675, 0.2565, 0.2761}};
  }
};

}  // namespace

RETORT_PLUGIN(
    dataset<Cifar<Cifar10>>(
        "cifar10", "1.0.0", "CIFAR-10: 60,000 colour 32 x 32 images (Krizhevsky 2009)",
        licence("MIT"),
        option("root", &Cifar10::Options::root).help("cifar-10-batches-bin, or its parent folder")),
    dataset<Cifar<Cifar100>>(
        "cifar100", "1.0.0",
        "CIFAR-100: 60,000 colour 32 x 32 images, fine labels "
        "(Krizhevsky 2009)",
        licence("MIT"),
        option("root", &Cifar100::Options::root).help("cifar-100-binary, or its parent folder")))
