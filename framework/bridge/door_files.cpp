// The functions of the host's table that read files.
#include <memory>
#include <utility>

#include "framework/bridge/checks.hpp"
#include "framework/bridge/door_answer.hpp"
#include "framework/io/file_bytes.hpp"

namespace retort::host::door {
namespace {

void hand_over(FileBytes read, retort_bytes& out) {
  auto bytes = std::make_unique<FileBytes>(std::move(read));
  out.data = bytes->data();
  out.size = bytes->size();
  out.owner = bytes.release();
}

}  // namespace

int32_t read_file_bytes(const char* path, uint64_t max_bytes, retort_bytes* out,
                        retort_error* error) {
  return answer(error, [&] {
    hand_over(read_file(&required(path, "the path of a file"), max_bytes),
              required(out, "the bytes of a file"));
  });
}

int32_t read_head_bytes(const char* path, uint64_t count, retort_bytes* out, retort_error* error) {
  return answer(error, [&] {
    hand_over(read_head(&required(path, "the path of a file"), count),
              required(out, "the bytes of a file"));
  });
}

void release_bytes(retort_bytes* bytes) {
  if (bytes == nullptr) return;
  delete static_cast<FileBytes*>(bytes->owner);
  *bytes = {};
}

}  // namespace retort::host::door
