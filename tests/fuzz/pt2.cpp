#include <numeric>
#include <string>

#include "framework/base/error.hpp"
#include "framework/exported/archive.hpp"
#include "framework/exported/schema.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/targets.hpp"

namespace retort::fuzz {

bool pt2(Bytes input) {
  const MemoryFile content(input);
  try {
    const auto archive = host::exported::Archive::open(content.path());
    const auto program = host::exported::read_program(archive.text("models/model.json"), "program");
    const std::string folder = "data/weights/";
    static volatile uint64_t sink;  // so that the reads stay
    for (const host::exported::StoredTensor& tensor : host::exported::read_tensor_table(
             archive.text(folder + "model_weights_config.json"), "weights")) {
      const auto bytes = archive.bytes(folder + tensor.member);
      sink = std::accumulate(bytes.begin(), bytes.end(), sink);
    }
    return !program.inputs.empty();
  } catch (const host::DataError&) {
    return false;
  }
}

}  // namespace retort::fuzz
