#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace retort::host {

/// SHA-256 in 64 lower-case hex digits: for names that others check (plugins, lock files).
std::string sha256_hex(std::span<const uint8_t> bytes);

/// SHA-256 of a file as it lies on disk.
/// Throws: DataError when the file cannot be read.
std::string sha256_hex_of_file(const std::filesystem::path& path);

/// XXH3-128 in 32 lower-case hex digits, as `xxhsum -H2` prints it: finds damage, not malice.
std::string xxh3_128_hex(std::span<const uint8_t> bytes);

/// XXH3-64: for tables within one process.
uint64_t xxh3_64(std::span<const uint8_t> bytes);

}  // namespace retort::host
