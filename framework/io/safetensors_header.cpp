#include "framework/io/safetensors_header.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxRank = 64;       // what LibTorch can hold
constexpr size_t kLongestQuote = 60;  // of a found value in a message

std::string quote(std::string_view text) {
  if (text.size() <= kLongestQuote) return '"' + std::string(text) + '"';
  return '"' + std::string(text.substr(0, kLongestQuote)) + "...\"";
}

/// Takes the parser's events. The header is three levels deep, so the level is the state.
class HeaderHandler : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderHandler(const std::string& file) : file_(file) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { return unexpected("null"); }
  bool boolean(bool value) override { return unexpected(value ? "true" : "false"); }
  bool number_float(double, const std::string& text) override { return unexpected(text); }
  bool number_integer(int64_t value) override { return unexpected(std::to_string(value)); }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_unsigned(uint64_t value) override {
    if (level_ != Level::Array || value > uint64_t{std::numeric_limits<int64_t>::max()}) {
      return unexpected(std::to_string(value));
    }
    if (numbers_.size() == kMaxRank) {
      fail("has more than " + std::to_string(kMaxRank) + " numbers in " + quote(key_));
    }
    numbers_.push_back(static_cast<int64_t>(value));
    return true;
  }

  bool string(std::string& text) override {
    if (level_ == Level::Metadata) {
      if (!header_.metadata.emplace(key_, text).second) {
        fail_at(std::string(kMetadataKey) + " has the key " + quote(key_) + " twice");
      }
      return true;
    }
    if (level_ != Level::Tensor || key_ != "dtype") return unexpected(quote(text));
    const std::optional<SafeDtype> dtype = safe_dtype_of(text);
    if (!dtype) {
      throw DataError(
          file_ + ": tensor " + quote(entry_.name) + " has dtype " + quote(text) +
          "; known are BOOL, U8 to U64, I8 to I64, F4 to F64, BF16, C64; write it as F32");
    }
    entry_.dtype = *dtype;
    return true;
  }

  bool key(std::string& name) override {
    key_ = std::move(name);
    if (level_ == Level::Top) {
      entry_ = {};
      entry_.name = key_;
      seen_ = 0;
    } else if (level_ == Level::Tensor) {
      const unsigned bit = key_ == "dtype"          ? 1
                           : key_ == "shape"        ? 2
                           : key_ == "data_offsets" ? 4
                                                    : 0;
      if (bit == 0) fail("has the key " + quote(key_) + "; known are dtype, shape, data_offsets");
      if ((seen_ & bit) != 0) fail("has the key " + quote(key_) + " twice");
      seen_ |= bit;
    }
    return true;
  }

  bool start_object(size_t) override {
    if (level_ == Level::Outside) {
      level_ = Level::Top;
    } else if (level_ == Level::Top) {
      level_ = key_ == kMetadataKey ? Level::Metadata : Level::Tensor;
      if (level_ == Level::Metadata && std::exchange(has_metadata_, true)) {
        fail_at("there are two " + std::string(kMetadataKey));
      }
    } else {
      return unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (level_ == Level::Tensor) {
      if (seen_ != 7) {
        fail(std::string("lacks ") + ((seen_ & 1) == 0   ? "dtype"
                                      : (seen_ & 2) == 0 ? "shape"
                                                         : "data_offsets"));
      }
      header_.tensors.push_back(std::move(entry_));
    }
    level_ = level_ == Level::Top ? Level::Outside : Level::Top;
    return true;
  }

  bool start_array(size_t) override {
    if (level_ != Level::Tensor || key_ == "dtype") return unexpected("an array");
    level_ = Level::Array;
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    level_ = Level::Tensor;
    if (key_ == "shape") {
      entry_.shape = numbers_;
      return true;
    }
    if (numbers_.size() != 2) {
      fail("has " + std::to_string(numbers_.size()) + " data_offsets; wanted begin and end");
    }
    entry_.begin = static_cast<uint64_t>(numbers_[0]);
    entry_.end = static_cast<uint64_t>(numbers_[1]);
    return true;
  }

  bool parse_error(size_t position, const std::string& token,
                   const nlohmann::detail::exception&) override {
    fail_at("the header is no JSON at byte " + std::to_string(kPrefixBytes + position) + ": " +
            quote(token));
  }

 private:
  enum class Level { Outside, Top, Metadata, Tensor, Array };

  bool unexpected(const std::string& found) const {
    switch (level_) {
      case Level::Outside:
        fail_at("the header is " + found + "; wanted an object");
      case Level::Top:
        fail_at(quote(key_) + " is " + found + "; wanted an object");
      case Level::Metadata:
        fail_at(std::string(kMetadataKey) + "." + quote(key_) + " is " + found +
                "; wanted a string");
      case Level::Tensor:
      case Level::Array:
        fail("has " + found + " in " + quote(key_) +
             (key_ == "dtype" ? "; wanted a string" : "; wanted whole numbers >= 0"));
    }
    return false;
  }
  [[noreturn]] void fail(const std::string& what) const {
    fail_at("tensor " + quote(entry_.name) + " " + what);
  }
  [[noreturn]] void fail_at(const std::string& what) const {
    throw DataError(file_ + ": " + what +
                    "; the file is damaged or of another format: fetch or write it again");
  }

  const std::string& file_;
  SafetensorsHeader header_;
  SafeTensorEntry entry_;
  std::vector<int64_t> numbers_;
  std::string key_;
  Level level_ = Level::Outside;
  unsigned seen_ = 0;  // keys of the tensor at hand, one bit each
  bool has_metadata_ = false;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file) {
  HeaderHandler handler(file);
  Json::sax_parse(text.begin(), text.end(), &handler);
  return handler.take();
}

std::optional<uint64_t> safe_tensor_bytes(SafeDtype dtype, const std::vector<int64_t>& shape) {
  uint64_t elements = 1, bits = 0;
  for (const int64_t size : shape) {
    const auto factor = static_cast<uint64_t>(size);
    if (size < 0 || __builtin_mul_overflow(elements, factor, &elements)) return {};
  }
  if (__builtin_mul_overflow(elements, uint64_t{safe_dtype_bits(dtype)}, &bits)) return {};
  return bits / 8 + (bits % 8 == 0 ? 0 : 1);
}

}  // namespace retort::host
