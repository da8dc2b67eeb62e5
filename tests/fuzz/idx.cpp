#include <array>
#include <string_view>

#include "tests/framework/io/scratch.hpp"
#include "tests/fuzz/dataset.hpp"
#include "tests/fuzz/memory_file.hpp"

extern "C" const retort_plugin retort_fuzz_idx;  // plugins/datasets/idx.cpp

namespace retort::fuzz {
namespace {

using namespace std::string_view_literals;

struct Part {
  const char* name;
  std::string_view content;  // 3 training and 2 test images of 1 x 2 pixels
};
constexpr std::array<Part, 4> kParts = {
    {{"train-images-idx3-ubyte", "\0\0\x08\x03\0\0\0\x03\0\0\0\x01\0\0\0\x02pixels"sv},
     {"train-labels-idx1-ubyte", "\0\0\x08\x01\0\0\0\x03\x07\0\x09"sv},
     {"t10k-images-idx3-ubyte", "\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02rest"sv},
     {"t10k-labels-idx1-ubyte", "\0\0\x08\x01\0\0\0\x02\x01\x02"sv}}};

/// The four files, in memory.
struct IdxFolder {
  IdxFolder() {
    for (size_t i = 0; i < kParts.size(); ++i) {
      restore(i);
      std::filesystem::create_symlink(files[i].path(), scratch.path(kParts[i].name));
    }
  }
  void restore(size_t i) {
    const std::string_view content = kParts[i].content;
    files[i].put({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
  }

  std::array<MemoryFile, 4> files;
  test::Scratch scratch;
};

}  // namespace

bool idx(Bytes input) {
  static IdxFolder folder;
  if (input.empty()) return false;
  const size_t part = input[0] % kParts.size();
  folder.files[part].put(input.subspan(1));
  const bool opened = opens(retort_fuzz_idx, folder.scratch.folder());
  folder.restore(part);
  return opened;
}

}  // namespace retort::fuzz
