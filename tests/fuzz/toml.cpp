#include "tests/framework/config/config_fixture.hpp"
#include "tests/fuzz/memory_file.hpp"

namespace retort::fuzz {

bool toml(Bytes input) {
  static const host::Catalog catalog = host::installed();
  const MemoryFile file(input);
  try {
    host::load_experiment(file.path(), {}, catalog);
    return true;
  } catch (const host::ConfigError&) {
    return false;
  }
}

}  // namespace retort::fuzz
