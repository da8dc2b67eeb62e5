#include "framework/io/safetensors.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <tuple>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/io/file_format.hpp"
#include "framework/io/json_text.hpp"
#include "framework/io/safetensors_header.hpp"

namespace retort::host {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own limit

struct DtypeRow {
  std::string_view name;
  size_t bits;
};
constexpr std::array<DtypeRow, 22> kDtypes{
    {{"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
     {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
     {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
     {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
     {"I64", 64},        {"U64", 64}}};

[[noreturn]] void fail(const std::string& file, const std::string& what) {
  throw DataError(file + ": " + what + "; the file is damaged or cut off: fetch or write it again");
}

uint64_t header_length(const FileBytes& bytes, const std::string& file) {
  if (bytes.size() < kPrefixBytes) {
    fail(file, "has " + std::to_string(bytes.size()) +
                   " bytes; a safetensors file starts with a header length of 8");
  }
  uint64_t length = 0;
  for (size_t i = kPrefixBytes; i-- > 0;) length = length << 8 | bytes.data()[i];
  if (length > kMaxHeader || length > bytes.size() - kPrefixBytes) {
    fail(file, "byte 0 gives a header of " + std::to_string(length) + " bytes; wanted at most " +
                   std::to_string(std::min<uint64_t>(kMaxHeader, bytes.size() - kPrefixBytes)));
  }
  if (length == 0 || bytes.data()[kPrefixBytes] != '{') {
    fail(file, "byte 8 does not start a header with '{'");
  }
  return length;
}

/// Every safetensors file has a '{' behind the length of its header, which no other known format has.
void refuse_other_format(const FileBytes& bytes, const std::filesystem::path& path) {
  if (bytes.size() > kPrefixBytes && bytes.data()[kPrefixBytes] == '{') return;
  const std::string format = describe_other_format(bytes.bytes(), path);
  if (!format.empty()) throw DataError(path.string() + ": " + format);
}

std::string place_text(const SafeTensorEntry& entry) {
  std::string text = "tensor \"";
  text += entry.name;
  text += "\" has data_offsets ";
  const int64_t offsets[] = {static_cast<int64_t>(entry.begin), static_cast<int64_t>(entry.end)};
  return text + shape_text(offsets);
}

/// Sorts the entries by their bytes; those must follow each other and end with the file.
void check_layout(std::vector<SafeTensorEntry>& entries, uint64_t data_bytes,
                  const std::string& file) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t next = 0;
  for (const SafeTensorEntry& entry : entries) {
    if (entry.begin != next || entry.end < entry.begin || entry.end > data_bytes) {
      fail(file, place_text(entry) + "; wanted them to begin at " + std::to_string(next) +
                     " and end by " + std::to_string(data_bytes));
    }
    const std::optional<uint64_t> wanted = safe_tensor_bytes(entry.dtype, entry.shape);
    if (!wanted || *wanted != entry.end - entry.begin) {
      fail(file, place_text(entry) + "; wanted " +
                     (wanted ? std::to_string(*wanted) : "more than 2^64") + " bytes for shape " +
                     shape_text(entry.shape) + " and dtype " +
                     std::string(safe_dtype_name(entry.dtype)));
    }
    next = entry.end;
  }
  if (next != data_bytes) {
    fail(file, "the tensors end at data byte " + std::to_string(next) + "; the file has " +
                   std::to_string(data_bytes));
  }
}

std::string header_text(const std::vector<SafeTensorView>& tensors, const SafeMetadata& metadata) {
  const auto text = [](const std::string& value) { return nlohmann::json(value).dump(); };
  std::string header = "{";
  if (!metadata.empty()) {
    header += text(std::string(kMetadataKey)) + ":" + json_text(nlohmann::json(metadata));
  }
  uint64_t offset = 0;
  for (const SafeTensorView& tensor : tensors) {
    if (header.size() > 1) header += ',';
    header += text(tensor.name) + ":{\"dtype\":\"" + std::string(safe_dtype_name(tensor.dtype)) +
              "\",\"shape\":" + nlohmann::json(tensor.shape).dump() + ",\"data_offsets\":[" +
              std::to_string(offset) + "," + std::to_string(offset + tensor.bytes) + "]}";
    offset += tensor.bytes;
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

void check_writable(const std::vector<SafeTensorView>& tensors, const std::string& file) {
  std::vector<std::string_view> names;
  for (const SafeTensorView& tensor : tensors) {
    names.push_back(tensor.name);
    if (tensor.name == kMetadataKey) {
      throw DataError(file + ": no tensor may be named " + tensor.name + "; rename it");
    }
    if (safe_tensor_bytes(tensor.dtype, tensor.shape) != tensor.bytes) {
      throw DataError(file + ": tensor \"" + tensor.name + "\" of shape " +
                      shape_text(tensor.shape) + " and dtype " +
                      std::string(safe_dtype_name(tensor.dtype)) + " comes with " +
                      std::to_string(tensor.bytes) + " bytes; they must agree");
    }
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    throw DataError(file + ": two tensors are named \"" + std::string(*twice) + "\"; rename one");
  }
}

}  // namespace

std::string_view safe_dtype_name(SafeDtype dtype) {
  return kDtypes[static_cast<size_t>(dtype)].name;
}

size_t safe_dtype_bits(SafeDtype dtype) { return kDtypes[static_cast<size_t>(dtype)].bits; }

std::optional<SafeDtype> safe_dtype_of(std::string_view name) {
  for (size_t i = 0; i < kDtypes.size(); ++i) {
    if (kDtypes[i].name == name) return static_cast<SafeDtype>(i);
  }
  return std::nullopt;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  const std::string file = path.string();
  SafetensorsFile result;
  result.file_ = map_file(path, std::numeric_limits<size_t>::max());
  refuse_other_format(result.file_, path);
  const uint64_t length = header_length(result.file_, file);
  const uint8_t* text = result.file_.data() + kPrefixBytes;
  SafetensorsHeader header =
      parse_safetensors_header({reinterpret_cast<const char*>(text), length}, file);
  check_layout(header.tensors, result.file_.size() - kPrefixBytes - length, file);

  result.metadata_ = std::move(header.metadata);
  for (SafeTensorEntry& entry : header.tensors) {
    result.tensors_.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape),
                               text + length + entry.begin, entry.end - entry.begin});
  }
  const std::vector<SafeTensorView>& tensors = result.tensors_;
  result.by_name_.resize(tensors.size());
  std::iota(result.by_name_.begin(), result.by_name_.end(), 0U);
  std::sort(result.by_name_.begin(), result.by_name_.end(),
            [&](uint32_t a, uint32_t b) { return tensors[a].name < tensors[b].name; });
  const auto twice = std::adjacent_find(
      result.by_name_.begin(), result.by_name_.end(),
      [&](uint32_t a, uint32_t b) { return tensors[a].name == tensors[b].name; });
  if (twice != result.by_name_.end()) {
    fail(file, "the header names tensor \"" + tensors[*twice].name + "\" twice");
  }
  return result;
}

const SafeTensorView* SafetensorsFile::find(std::string_view name) const {
  const auto found =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](uint32_t a, std::string_view b) { return tensors_[a].name < b; });
  return found != by_name_.end() && tensors_[*found].name == name ? &tensors_[*found] : nullptr;
}

void write_safetensors(const std::filesystem::path& path, std::vector<SafeTensorView> tensors,
                       const SafeMetadata& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    return std::tie(b.dtype, a.name) < std::tie(a.dtype, b.name);
  });
  check_writable(tensors, path.string());
  std::string header;
  try {
    header = header_text(tensors, metadata);
  } catch (const nlohmann::json::exception& error) {
    throw DataError(path.string() + ": a tensor name is no UTF-8 (" + error.what() +
                    "); rename it");
  }
  if (header.size() > kMaxHeader) {
    throw DataError(path.string() + ": the header takes " + std::to_string(header.size()) +
                    " bytes; the format allows " + std::to_string(kMaxHeader));
  }
  std::array<uint8_t, kPrefixBytes> prefix;
  for (size_t i = 0; i < kPrefixBytes; ++i)
    prefix[i] = static_cast<uint8_t>(header.size() >> (8 * i));

  AtomicFile file(path);
  file.write(prefix);
  file.write(header);
  for (const SafeTensorView& tensor : tensors) file.write({tensor.data, tensor.bytes});
  file.commit();
}

}  // namespace retort::host
