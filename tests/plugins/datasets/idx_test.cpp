#include <gmock/gmock.h>
#include <zlib.h>

#include <cmath>

#include "tests/framework/io/memory_limit.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/datasets/dataset_rig.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr size_t kConstant = size_t{32} << 20;  // a block of the inflater, and the heap's own steps

const char* const kNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                              "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

std::string idx(uint32_t magic, const std::vector<uint32_t>& sizes, const std::string& data) {
  std::string bytes;
  const auto add = [&](uint32_t word) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift & 0xff);
  };
  add(magic);
  for (const uint32_t size : sizes) add(size);
  return bytes + data;
}

std::string counting(size_t count) {
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  std::string copy = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// A small data set: 3 training and 2 test images of 2 x 5 pixels.
class IdxFolder : public testing::Test {
 protected:
  IdxFolder() {
    put(0, idx(0x803, {3, 2, 5}, counting(30)));
    put(1, idx(0x801, {3}, {7, 0, 9}));
    put(2, idx(0x803, {2, 2, 5}, counting(20)));
    put(3, idx(0x801, {2}, {1, 2}));
  }

  std::string path(int file) const { return scratch_.path(kNames[file]).string(); }
  std::string content(int file) const { return content_of(path(file)); }
  void put(int file, const std::string& bytes) const { scratch_.put(kNames[file], bytes); }
  Options root() const { return {{"root", scratch_.folder().string()}}; }
  std::string failure() const { return open_failure("mnist", root()); }
  /// The message after one byte of a file was changed.
  std::string failure_with(int file, size_t offset, int value) const {
    const std::string good = content(file);
    std::string bad = good;
    bad.at(offset) = static_cast<char>(value);
    put(file, bad);
    const std::string message = failure();
    put(file, good);
    return message;
  }

  Scratch scratch_;
};

TEST_F(IdxFolder, IsDescribed) {
  const DatasetRig rig("mnist", root());
  const retort_dataset_info& info = rig.info();
  EXPECT_EQ(info.train_count, 3);
  EXPECT_EQ(info.test_count, 2);
  EXPECT_EQ(info.channels, 1);
  EXPECT_EQ(info.height, 2);
  EXPECT_EQ(info.width, 5);
  EXPECT_EQ(info.class_count, 10);
  EXPECT_STREQ(info.class_names[9], "9");
}

TEST_F(IdxFolder, GivesPixelsAndLabels) {
  DatasetRig rig("fashion_mnist", root());
  const auto train = rig.read(RETORT_SPLIT_TRAIN, 1, 2);
  EXPECT_THAT(train.labels, ElementsAre(0, 9));
  for (size_t i = 0; i < 20; ++i) EXPECT_EQ(train.pixels[i], 10 + i);
  EXPECT_THAT(rig.read(RETORT_SPLIT_TEST, 0, 2).labels, ElementsAre(1, 2));
}

TEST_F(IdxFolder, MayBeGzipped) {
  for (const int file : {0, 1, 2, 3}) {
    scratch_.put(std::string(kNames[file]) + ".gz", gzipped(content(file)));
    std::filesystem::remove(path(file));
  }
  DatasetRig rig("mnist", root());
  EXPECT_THAT(rig.read(RETORT_SPLIT_TRAIN, 0, 3).labels, ElementsAre(7, 0, 9));
  EXPECT_EQ(rig.read(RETORT_SPLIT_TEST, 1, 1).pixels[9], 19);
}

TEST_F(IdxFolder, IsRefusedAtEveryLengthThatIsTooShort) {
  for (const int file : {0, 1, 2, 3}) {
    const std::string good = content(file);
    for (size_t length = 0; length < good.size(); ++length) {
      put(file, good.substr(0, length));
      EXPECT_THAT(failure(), AllOf(HasSubstr(path(file) + ": byte "), HasSubstr("; wanted ")))
          << length;
    }
    put(file, good);
  }
}

TEST_F(IdxFolder, IsRefusedWhereTheGzipStreamIsCutOff) {
  const std::string packed = gzipped(content(0));
  std::filesystem::remove(path(0));
  for (size_t length = 0; length < packed.size(); ++length) {
    scratch_.put(std::string(kNames[0]) + ".gz", packed.substr(0, length));
    EXPECT_THAT(failure(), HasSubstr(path(0) + ".gz: ")) << length;
  }
}

TEST_F(IdxFolder, GivesNoMemoryToAGzipFileBeyondWhatItsHeaderSays) {
  std::filesystem::remove(path(0));
  std::string bomb = idx(0x803, {3, 2, 5}, counting(30));
  bomb.resize(size_t{128} << 20);
  scratch_.put(std::string(kNames[0]) + ".gz", gzipped(bomb));
  bomb = std::string();
  EXPECT_NE(failure(), "");  // what the plugin itself takes is mapped now
  const MemoryLimit limit(kConstant);
  EXPECT_THAT(failure(),
              HasSubstr(path(0) + ".gz: byte 46: the file goes on; wanted 3 items of 10 bytes"));
}

TEST_F(IdxFolder, GivesNoMemoryToAHeaderThatSaysMoreThanTheFileHas) {
  std::filesystem::remove(path(0));
  scratch_.put(std::string(kNames[0]) + ".gz", gzipped(idx(0x803, {1 << 20, 28, 28}, "pixels")));
  EXPECT_NE(failure(), "");
  const MemoryLimit limit(kConstant);
  EXPECT_THAT(failure(), HasSubstr(".gz: byte 22: the file ends; wanted 1048576 items of 784"));
}

TEST_F(IdxFolder, IsRefusedWhenTooLong) {
  put(1, content(1) + "x");
  EXPECT_THAT(failure(),
              HasSubstr(path(1) + ": byte 11: the file goes on; wanted 3 items of 1 bytes"));
}

TEST_F(IdxFolder, IsRefusedForAWrongMagicNumber) {
  EXPECT_THAT(failure_with(0, 3, 1),
              HasSubstr(path(0) + ": byte 0: magic number 0x00000801; wanted 0x00000803"));
  EXPECT_THAT(failure_with(3, 2, 0x0d), HasSubstr("magic number 0x00000d01; wanted 0x00000801"));
}

TEST_F(IdxFolder, IsRefusedForAnImpossibleHeader) {
  EXPECT_THAT(failure_with(0, 11, 0), HasSubstr("byte 8: a size of 0; wanted 1 or more"));
  EXPECT_THAT(failure_with(1, 7, 0), HasSubstr("byte 4: a size of 0; wanted 1 or more"));
  EXPECT_THAT(failure_with(0, 7, 4),
              HasSubstr("byte 46: the file ends; wanted 4 items of 10 bytes"));
  put(0, idx(0x803, {0xffffffff, 0xffffffff, 0xffffffff}, counting(30)));  // must not overflow
  EXPECT_THAT(failure(),
              HasSubstr("byte 4: 4294967295 items of 18446744065119617025 bytes; wanted at most"));
}

TEST_F(IdxFolder, IsRefusedWhenLabelsDoNotMatchTheImages) {
  put(1, idx(0x801, {2}, {7, 0}));
  EXPECT_THAT(failure(),
              HasSubstr(path(1) + ": byte 4: 2 labels; wanted 3, a label for each image"));
}

TEST_F(IdxFolder, IsRefusedForALabelOutOfRange) {
  EXPECT_THAT(failure_with(3, 9, 10), HasSubstr(path(3) + ": byte 9: label 10; wanted 0 to 9"));
}

TEST_F(IdxFolder, IsRefusedWhenTheSplitsDiffer) {
  put(2, idx(0x803, {2, 5, 2}, counting(20)));
  EXPECT_THAT(failure(),
              HasSubstr(path(2) + ": byte 8: 5 rows; wanted 2 as in the training images"));
}

TEST_F(IdxFolder, IsRefusedWithTheRemedyWhenAFileIsMissing) {
  std::filesystem::remove(path(2));
  EXPECT_THAT(failure(), AllOf(HasSubstr(path(2) + ": no such file, nor with .gz; fetch the four"),
                               HasSubstr("data.root = \"FOLDER\"")));
  EXPECT_THAT(open_failure("fashion_mnist", {{"root", std::string("no/such/folder")}}),
              AllOf(HasSubstr("no/such/folder/train-images-idx3-ubyte: no such file"),
                    HasSubstr("apt-get install dataset-fashion-mnist")));
}

TEST(FashionMnist, HasTheStatisticsItClaims) {
  const char* const root = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << root << " is not installed";
  DatasetRig rig("fashion_mnist", {});
  ASSERT_EQ(rig.info().train_count, 60000);
  ASSERT_EQ(rig.info().test_count, 10000);
  double sum = 0, squares = 0;
  const auto train = rig.read(RETORT_SPLIT_TRAIN, 0, 60000);
  for (const uint8_t pixel : train.pixels) {
    sum += pixel / 255.0;
    squares += pixel / 255.0 * (pixel / 255.0);
  }
  const double mean = sum / static_cast<double>(train.pixels.size());
  const double var = squares / static_cast<double>(train.pixels.size()) - mean * mean;
  EXPECT_NEAR(rig.info().mean[0], mean, 1e-7);
  EXPECT_NEAR(rig.info().stddev[0], std::sqrt(var), 1e-7);
}

}  // namespace
}  // namespace retort::test
