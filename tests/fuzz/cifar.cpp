#include <algorithm>
#include <string>
#include <string_view>

#include "tests/framework/io/scratch.hpp"
#include "tests/fuzz/dataset.hpp"
#include "tests/fuzz/memory_file.hpp"

extern "C" const retort_plugin retort_fuzz_cifar;  // plugins/datasets/cifar.cpp

namespace retort::fuzz {
namespace {

constexpr size_t kFileBytes = size_t{10000} * 3073;  // a label and 3 x 32 x 32 pixels

/// A black CIFAR-10 whose five training files are one, all of it in memory.
struct CifarFolder {
  CifarFolder() {
    black.resize(kFileBytes);
    test.resize(kFileBytes);
    for (const char* name :
         {"data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}) {
      link(black, name);
    }
    point_to(black, "data_batch_1.bin");
    link(test, "test_batch.bin");
  }
  void link(const MemoryFile& file, const std::string& name) const {
    std::filesystem::create_symlink(file.path(), scratch.path(name));
  }
  /// As link(), where there may be a link already.
  void point_to(const MemoryFile& file, const std::string& name) const {
    std::filesystem::remove(scratch.path(name));
    link(file, name);
  }
  bool opens() const { return fuzz::opens(retort_fuzz_cifar, scratch.folder()); }

  MemoryFile black;
  MemoryFile test;
  test::Scratch scratch;
};

bool opens_with(const CifarFolder& folder, const std::string& name, Bytes content) {
  const MemoryFile file(content);
  folder.point_to(file, name);
  const bool opened = folder.opens();
  if (name == "data_batch_1.bin") {
    folder.point_to(folder.black, name);
  } else {
    std::filesystem::remove(folder.scratch.path(name));
  }
  return opened;
}

bool opens_with_patch(CifarFolder& folder, Bytes patch) {
  size_t offset = 0;
  for (size_t i = 4; i-- > 0;) offset = offset << 8 | patch[i];
  offset %= kFileBytes;
  const Bytes content = patch.subspan(4, std::min(patch.size() - 4, kFileBytes - offset));
  folder.test.write(offset, content);
  const bool opened = folder.opens();
  const std::string black(content.size(), '\0');
  folder.test.write(offset, {reinterpret_cast<const uint8_t*>(black.data()), black.size()});
  return opened;
}

}  // namespace

bool cifar(Bytes input) {
  static CifarFolder folder;
  if (input.empty()) return false;
  const Bytes rest = input.subspan(1);
  switch (input[0] % 3) {
    case 0:
      return opens_with(folder, "data_batch_1.bin", rest);
    case 1:
      return opens_with(folder, "batches.meta.txt", rest);
    default:
      return rest.size() < 4 ? false : opens_with_patch(folder, rest);
  }
}

}  // namespace retort::fuzz
