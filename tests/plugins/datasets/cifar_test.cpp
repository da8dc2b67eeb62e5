#include <gmock/gmock.h>

#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/datasets/dataset_rig.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr size_t kImage = 3072;

/// Files of the true size, full of holes: they read as zeros and take no room.
class CifarFolder : public testing::Test {
 protected:
  void make(const std::string& name, size_t bytes) const {
    scratch_.put(name, "");
    std::filesystem::resize_file(scratch_.path(name), bytes);
  }
  void make_cifar10() const {
    for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                             "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
      make(name, 10000 * (1 + kImage));
    }
  }
  void make_cifar100() const {
    make("train.bin", 50000 * (2 + kImage));
    make("test.bin", 10000 * (2 + kImage));
  }
  void set(const std::string& name, size_t offset, const std::string& bytes) const {
    std::fstream file(scratch_.path(name), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
  }
  std::string path(const std::string& name) const { return scratch_.path(name).string(); }
  Options root() const { return {{"root", scratch_.folder().string()}}; }
  std::string failure() const { return open_failure("cifar10", root()); }

  Scratch scratch_;
};

TEST_F(CifarFolder, OfCifar10IsDescribed) {
  make_cifar10();
  scratch_.put("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\ntruck\n\n");
  const DatasetRig rig("cifar10", root());
  EXPECT_EQ(rig.info().train_count, 50000);
  EXPECT_EQ(rig.info().test_count, 10000);
  EXPECT_EQ(rig.info().channels, 3);
  EXPECT_EQ(rig.info().height, 32);
  EXPECT_EQ(rig.info().width, 32);
  EXPECT_EQ(rig.info().class_count, 10);
  EXPECT_STREQ(rig.info().class_names[9], "truck");
  EXPECT_DOUBLE_EQ(rig.info().mean[2], 0.4465);
}

TEST_F(CifarFolder, OfCifar10GivesSamplesAcrossItsFiles) {
  make_cifar10();
  set("data_batch_1.bin", 9999 * 3073, std::string("\x03\x11", 2));
  set("data_batch_2.bin", 0, "\x04\x22");
  set("data_batch_2.bin", kImage, "\x33");
  DatasetRig rig("cifar10", root());
  const auto samples = rig.read(RETORT_SPLIT_TRAIN, 9998, 3);
  EXPECT_THAT(samples.labels, ElementsAre(0, 3, 4));
  EXPECT_EQ(samples.pixels[kImage], 0x11);
  EXPECT_EQ(samples.pixels[2 * kImage], 0x22);
  EXPECT_EQ(samples.pixels[3 * kImage - 1], 0x33);
  EXPECT_EQ(rig.info().class_names, nullptr);
}

TEST_F(CifarFolder, OfCifar100GivesFineLabels) {
  make_cifar100();
  set("train.bin", 49999 * 3074, "\x12\x63\x44");  // coarse, fine, the first pixel
  DatasetRig rig("cifar100", root());
  const auto samples = rig.read(RETORT_SPLIT_TRAIN, 49999, 1);
  EXPECT_THAT(samples.labels, ElementsAre(99));
  EXPECT_EQ(samples.pixels[0], 0x44);
  EXPECT_EQ(rig.info().class_count, 100);
}

TEST_F(CifarFolder, MayBeNamedByItsParent) {
  std::filesystem::create_directory(scratch_.path("cifar-100-binary"));
  make("cifar-100-binary/train.bin", 50000 * (2 + kImage));
  make("cifar-100-binary/test.bin", 10000 * (2 + kImage));
  EXPECT_THAT(open_failure("cifar100", root()), IsEmpty());
}

TEST_F(CifarFolder, IsRefusedAtAnyWrongLength) {
  make_cifar10();
  for (const size_t length : {size_t{0}, size_t{1}, size_t{3072}, size_t{3073}, size_t{9999 * 3073},
                              size_t{30729999}, size_t{30730001}, size_t{30733073}}) {
    make("data_batch_3.bin", length);
    EXPECT_THAT(failure(), AllOf(HasSubstr(path("data_batch_3.bin") + ": byte "),
                                 HasSubstr(std::to_string(length) + " bytes; wanted 30730000")));
  }
  make("data_batch_3.bin", 40000000);  // refused by the host, before it is mapped
  EXPECT_THAT(failure(), HasSubstr(path("data_batch_3.bin") + ": holds 40000000 bytes"));
}

TEST_F(CifarFolder, IsRefusedForALabelOutOfRange) {
  make_cifar10();
  set("test_batch.bin", 2 * 3073, "\x0a");
  EXPECT_THAT(failure(),
              HasSubstr(path("test_batch.bin") + ": byte 6146: label 10; wanted 0 to 9"));
  make_cifar100();
  set("test.bin", 3074 + 1, "\x64");
  EXPECT_THAT(open_failure("cifar100", root()),
              HasSubstr(path("test.bin") + ": byte 3075: label 100; wanted 0 to 99"));
}

TEST_F(CifarFolder, IsRefusedForAWrongNumberOfClassNames) {
  make_cifar10();
  scratch_.put("batches.meta.txt", "cat\r\ndog");
  EXPECT_THAT(failure(),
              HasSubstr("batches.meta.txt: byte 8: 2 class names; wanted 10, one a line"));
}

TEST_F(CifarFolder, IsRefusedWithTheRemedyWhenAFileIsMissing) {
  make_cifar10();
  std::filesystem::remove(path("data_batch_5.bin"));
  EXPECT_THAT(failure(), AllOf(HasSubstr(path("data_batch_5.bin") + ": no such file"),
                               HasSubstr("unpack cifar-10-binary.tar.gz"),
                               HasSubstr("data.root = \"FOLDER\"")));
}

}  // namespace
}  // namespace retort::test
