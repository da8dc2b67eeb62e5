#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/io/file_bytes.hpp"

namespace retort::host {

/// The element types of the format, in its own order of rising alignment: the writer sorts by it.
enum class SafeDtype : uint8_t {
  Bool,
  F4,
  F6E2M3,
  F6E3M2,
  U8,
  I8,
  F8E5M2,
  F8E4M3,
  F8E8M0,
  F8E4M3Fnuz,
  F8E5M2Fnuz,
  I16,
  U16,
  F16,
  BF16,
  I32,
  U32,
  F32,
  C64,
  F64,
  I64,
  U64,
};

/// The name in the file, such as "F32".
std::string_view safe_dtype_name(SafeDtype dtype);
std::optional<SafeDtype> safe_dtype_of(std::string_view name);
/// The bits of one element; those of F4 and F6 are packed.
size_t safe_dtype_bits(SafeDtype dtype);

/// A named tensor whose bytes lie elsewhere: row-major, little-endian.
/// `data` is aligned to the element only if the writer padded its header, as ours does: copy, or
/// check, before reading elements through a typed pointer.
struct SafeTensorView {
  std::string name;
  SafeDtype dtype = SafeDtype::F32;
  std::vector<int64_t> shape;
  const uint8_t* data = nullptr;
  size_t bytes = 0;
};

using SafeMetadata = std::map<std::string, std::string>;

/// A safetensors file, memory-mapped. Everything the header claims is checked against the file
/// before the object exists, so every view lies inside it.
class SafetensorsFile {
 public:
  /// Throws: DataError with the file, the tensor or offset, what was found and what was wanted; one
  ///         that names the format of a file that is of another (describe_other_format).
  static SafetensorsFile open(const std::filesystem::path& path);

  /// In the order of their bytes in the file.
  const std::vector<SafeTensorView>& tensors() const { return tensors_; }
  /// Null when there is no tensor of that name.
  const SafeTensorView* find(std::string_view name) const;
  const SafeMetadata& metadata() const { return metadata_; }

 private:
  FileBytes file_;
  std::vector<SafeTensorView> tensors_;
  std::vector<uint32_t> by_name_;  // positions in tensors_, sorted by name
  SafeMetadata metadata_;
};

/// Writes the tensors so that the file is replaced as a whole (see AtomicFile). The order is the
/// format's own, not that of the list: equal content gives equal bytes, those of the Rust writer.
/// Throws: DataError when a name is taken twice or is no UTF-8, or bytes and shape differ;
///         EnvironmentError when the disk refuses.
void write_safetensors(const std::filesystem::path& path, std::vector<SafeTensorView> tensors,
                       const SafeMetadata& metadata);

}  // namespace retort::host
