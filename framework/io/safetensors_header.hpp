#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/io/safetensors.hpp"

namespace retort::host {

/// What the header says of one tensor; offsets count from the end of the header.
struct SafeTensorEntry {
  std::string name;
  SafeDtype dtype = SafeDtype::F32;
  std::vector<int64_t> shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafeTensorEntry> tensors;  // in the order of the text
  SafeMetadata metadata;
};

/// The length of the header, little-endian, before it.
inline constexpr size_t kPrefixBytes = 8;
inline constexpr std::string_view kMetadataKey = "__metadata__";

/// Reads the JSON text of a header: its grammar only, not whether the offsets make sense.
/// `file` names the file in messages; byte offsets in them count from the start of the file.
/// Throws: DataError.
SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file);

/// The bytes that a tensor of this shape needs; empty when the product overflows.
std::optional<uint64_t> safe_tensor_bytes(SafeDtype dtype, const std::vector<int64_t>& shape);

}  // namespace retort::host
