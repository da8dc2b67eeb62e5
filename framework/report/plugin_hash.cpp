#include "framework/report/plugin_hash.hpp"

#include <filesystem>
#include <map>
#include <mutex>

#include "framework/io/hash.hpp"

namespace retort::host {

std::string hash_of_plugin(const ComponentInfo& info) {
  static std::mutex mutex;
  static std::map<std::filesystem::path, std::string> hashes;
  const std::lock_guard lock(mutex);
  std::string& hash = hashes[std::filesystem::absolute(info.file)];
  if (hash.empty()) hash = sha256_hex_of_file(info.file);
  return hash;
}

}  // namespace retort::host
