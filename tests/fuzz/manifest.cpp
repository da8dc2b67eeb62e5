#include "framework/plugin/manifest.hpp"

#include "framework/base/error.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace retort::fuzz {

bool manifest(Bytes input) {
  const MemoryFile file(input);
  try {
    host::read_manifest(file.path());
    return true;
  } catch (const host::PluginError&) {
    return false;
  }
}

}  // namespace retort::fuzz
