#include "framework/exported/write_program.hpp"

#include <c10/core/GradMode.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <span>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/exported/archive.hpp"
#include "framework/exported/dtype.hpp"
#include "framework/exported/schema.hpp"
#include "framework/exported/tensors.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host::exported {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr const char* kFolder = "data/weights/";
constexpr const char* kTable = "data/weights/model_weights_config.json";
constexpr size_t kRecordChecksum = 16;  // in an entry of the directory
constexpr size_t kHeaderChecksum = 14;  // in the header before the content
constexpr uint32_t kDescriptorMark = 0x08074b50;

uint32_t find_checksum(std::span<const uint8_t> bytes) {
  uLong checksum = crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const size_t part = std::min<size_t>(bytes.size(), size_t{1} << 30);
    checksum = crc32(checksum, bytes.data(), static_cast<uInt>(part));
    bytes = bytes.subspan(part);
  }
  return static_cast<uint32_t>(checksum);
}

uint32_t read_word(const Bytes& file, size_t at) {
  if (at > file.size() || file.size() - at < 4) return 0;
  return static_cast<uint32_t>(file[at]) | static_cast<uint32_t>(file[at + 1]) << 8 |
         static_cast<uint32_t>(file[at + 2]) << 16 | static_cast<uint32_t>(file[at + 3]) << 24;
}

void write_word(Bytes& file, size_t at, uint32_t word) {
  for (size_t i = 0; i < 4; ++i) file[at + i] = static_cast<uint8_t>(word >> (8 * i));
}

/// The checksum of a member stands in up to three places: its record, its header, and behind its
/// content.
void mend_checksums(Bytes& file, const ZipEntry& entry, size_t first, uint32_t old_checksum) {
  const size_t size = entry.content.size();
  const uint32_t checksum = find_checksum(std::span(file).subspan(first, size));
  write_word(file, entry.record + kRecordChecksum, checksum);
  if (read_word(file, entry.header + kHeaderChecksum) == old_checksum)
    write_word(file, entry.header + kHeaderChecksum, checksum);
  if (read_word(file, first + size) == kDescriptorMark &&
      read_word(file, first + size + 4) == old_checksum)
    write_word(file, first + size + 4, checksum);
}

/// Writes a tensor's values into its storage, as sizes, strides and offset say.
void put_values(uint8_t* storage, const StoredTensor& place, const at::Tensor& value) {
  const at::Tensor plain = value.detach().to(at::kCPU, find_dtype(place.dtype)).contiguous();
  const auto* from = static_cast<const uint8_t*>(plain.const_data_ptr());
  const size_t size = plain.element_size();
  std::vector<int64_t> index(place.sizes.size(), 0);
  for (int64_t i = 0; i < plain.numel(); ++i) {
    int64_t offset = place.storage_offset;
    for (size_t d = 0; d < index.size(); ++d) offset += index[d] * place.strides[d];
    std::memcpy(storage + static_cast<size_t>(offset) * size, from + static_cast<size_t>(i) * size,
                size);
    for (size_t d = index.size(); d-- > 0;) {
      if (++index[d] < place.sizes[d]) break;
      index[d] = 0;
    }
  }
}

/// The value of each tensor of the table. Throws: DataError naming all that do not fit.
std::map<std::string, at::Tensor> match_values(
    const std::vector<StoredTensor>& table,
    const std::vector<std::pair<std::string, at::Tensor>>& values, const std::string& file) {
  std::map<std::string, at::Tensor> by_name(values.begin(), values.end());
  std::string misfits;
  for (const StoredTensor& place : table) {
    const auto found = by_name.find(place.name);
    if (found == by_name.end()) {
      misfits += "\n  missing: " + safe_line(place.name);
    } else if (found->second.sizes() != at::IntArrayRef(place.sizes)) {
      misfits += "\n  " + safe_line(place.name) + " is " + shape_text(found->second.sizes()) +
                 " and in the file " + shape_text(place.sizes);
    }
  }
  if (!misfits.empty()) throw DataError(file + ": these weights are not of this network" + misfits);
  return by_name;
}

}  // namespace

void write_program(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::vector<std::pair<std::string, at::Tensor>>& values) {
  const Archive archive = Archive::open(from);
  read_weights(archive);  // every tensor lies in its storage
  const std::string where = from.string() + ": " + kTable;
  const std::vector<StoredTensor> table = read_tensor_table(archive.text(kTable), where);
  const auto by_name = match_values(table, values, from.string());
  const std::span<const uint8_t> all = archive.all_bytes();
  Bytes file(all.begin(), all.end());
  std::set<std::string> members;
  const auto first_of = [&](const std::string& member) {
    return static_cast<size_t>(archive.entry(member).content.data() - all.data());
  };
  for (const StoredTensor& place : table) {
    const std::string member = kFolder + place.member;
    members.insert(member);
    put_values(file.data() + first_of(member), place, by_name.at(place.name));
  }
  for (const std::string& member : members)
    mend_checksums(file, archive.entry(member), first_of(member),
                   find_checksum(archive.bytes(member)));
  atomic_write(to, std::span<const uint8_t>(file));
}

}  // namespace retort::host::exported
