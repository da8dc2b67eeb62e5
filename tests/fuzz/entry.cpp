// The entry point of libFuzzer for one target, RETORT_FUZZ_TARGET.
#include <cstddef>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  retort::fuzz::RETORT_FUZZ_TARGET({data, size});
  return 0;
}
