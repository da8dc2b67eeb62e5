#include "framework/io/hash.hpp"

#include <sodium.h>
#include <xxhash.h>

#include <array>
#include <limits>

#include "framework/io/file_bytes.hpp"

namespace retort::host {
namespace {

std::string hex(std::span<const uint8_t> digest) {
  std::string text(digest.size() * 2 + 1, '\0');  // sodium ends it with a zero
  sodium_bin2hex(text.data(), text.size(), digest.data(), digest.size());
  text.pop_back();
  return text;
}

}  // namespace

std::string sha256_hex(std::span<const uint8_t> bytes) {
  std::array<uint8_t, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
  return hex(digest);
}

std::string sha256_hex_of_file(const std::filesystem::path& path) {
  return sha256_hex(map_file(path, std::numeric_limits<size_t>::max()).bytes());
}

std::string xxh3_128_hex(std::span<const uint8_t> bytes) {
  XXH128_canonical_t digest;  // big-endian, as the tool prints it
  XXH128_canonicalFromHash(&digest, XXH3_128bits(bytes.data(), bytes.size()));
  return hex(digest.digest);
}

uint64_t xxh3_64(std::span<const uint8_t> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace retort::host
