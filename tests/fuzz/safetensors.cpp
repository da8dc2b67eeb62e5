#include "framework/io/safetensors.hpp"

#include <numeric>

#include "framework/base/error.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace retort::fuzz {

bool safetensors(Bytes input) {
  const MemoryFile content(input);
  try {
    const auto file = host::SafetensorsFile::open(content.path());
    static volatile uint64_t sink;  // so that the reads stay
    for (const host::SafeTensorView& tensor : file.tensors()) {
      if (file.find(tensor.name) != &tensor) throw std::logic_error("find() misses a tensor");
      sink = std::accumulate(tensor.data, tensor.data + tensor.bytes, sink);
    }
    return true;
  } catch (const host::DataError&) {
    return false;
  }
}

}  // namespace retort::fuzz
