#include "framework/io/file_bytes.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "framework/base/error.hpp"

namespace retort::host {

FileBytes::FileBytes(FileBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

FileBytes& FileBytes::operator=(FileBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(mapped_, other.mapped_);
  return *this;
}

FileBytes::~FileBytes() {
  if (data_ != nullptr) munmap(data_, mapped_);
}

/// Makes the mappings that FileBytes owns.
class MappingBuilder {
 public:
  static FileBytes of_file(int fd, size_t size) {
    if (size == 0) return {};  // an empty mapping is refused by the kernel
    void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return {};
    return {static_cast<uint8_t*>(data), size, size};
  }

  /// Adds `step` bytes of zero pages behind the mapping; false with errno set when there are none.
  static bool grow(FileBytes& bytes, size_t step) {
    const size_t wanted = bytes.mapped_ + step;
    void* data =
        bytes.data_ == nullptr
            ? mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            : mremap(bytes.data_, bytes.mapped_, wanted, MREMAP_MAYMOVE);
    if (data == MAP_FAILED) return false;
    bytes.data_ = static_cast<uint8_t*>(data);
    bytes.mapped_ = wanted;
    return true;
  }

  static std::span<uint8_t> room(FileBytes& bytes) {
    return {bytes.data_ + bytes.size_, bytes.mapped_ - bytes.size_};
  }
  static void add(FileBytes& bytes, size_t count) { bytes.size_ += count; }
  static void cut(FileBytes& bytes, size_t size) { bytes.size_ = std::min(bytes.size_, size); }
};

namespace {

constexpr size_t kInflateStep = size_t{16} << 20;

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw DataError(path.string() + ": " + what);
}

[[noreturn]] void fail_too_large(const std::filesystem::path& path, const std::string& size,
                                 size_t max_bytes) {
  fail(path, "holds " + size + " bytes; at most " + std::to_string(max_bytes) +
                 " are accepted here; check that this is the file you meant");
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, Links links)
      // Not blocking, so that a named pipe is refused below instead of waited for.
      : fd_(open(path.c_str(),
                 O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links == Links::Refuse ? O_NOFOLLOW : 0))) {
    if (fd_ < 0) {
      const int error = errno;
      if (error == ELOOP && links == Links::Refuse) {
        fail(path, "is a link, which is not followed here; put the file itself in its place");
      }
      if (error == EIO || error == EMFILE || error == ENFILE || error == ENOMEM) {
        throw EnvironmentError(path.string() + ": cannot open: " + std::strerror(error) +
                               "; check the disk and the limits (ulimit -a)");
      }
      fail(path,
           std::string("cannot open: ") + std::strerror(error) +
               (error == ENOENT ? "; check the path" : "; check the file and its permissions"));
    }
  }
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() { close(fd_); }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Inflates a gzip file of one or more members into memory that grows as it fills, up to `most`
/// bytes; the rest is not looked at.
class Inflater {
 public:
  Inflater(const std::filesystem::path& path, std::span<const uint8_t> packed, size_t most)
      : path_(path), packed_(packed), most_(most) {
    if (inflateInit2(&stream_, 15 + 16) !=
        Z_OK) {  // 15: window bits; 16: gzip framing, CRC checked
      throw EnvironmentError(path.string() + ": zlib cannot start; free memory");
    }
  }
  Inflater(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  FileBytes run() {
    while (out_.size() < most_ && (step() != Z_STREAM_END || next_member())) {
    }
    return std::move(out_);
  }

 private:
  int step() {
    const size_t in = std::min<size_t>(packed_.size() - offset_, std::numeric_limits<uInt>::max());
    const std::span<uint8_t> room = make_room();
    stream_.next_in = const_cast<Bytef*>(packed_.data() + offset_);  // zlib only reads through it
    stream_.avail_in = static_cast<uInt>(in);
    stream_.next_out = room.data();
    stream_.avail_out = static_cast<uInt>(room.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    offset_ += in - stream_.avail_in;
    MappingBuilder::add(out_, room.size() - stream_.avail_out);
    check(status, offset_ == packed_.size() && stream_.avail_out > 0);
    return status;
  }

  std::span<uint8_t> make_room() {
    const size_t step = std::min(kInflateStep, most_ - out_.size());
    if (MappingBuilder::room(out_).empty() && !MappingBuilder::grow(out_, step)) {
      throw EnvironmentError(path_.string() + ": no memory for byte " +
                             std::to_string(out_.size()) +
                             " of its content: " + std::strerror(errno));
    }
    return MappingBuilder::room(out_);
  }

  void check(int status, bool input_is_used_up) const {
    if (status == Z_STREAM_END || (status == Z_OK && !input_is_used_up)) return;
    if (status == Z_OK || status == Z_BUF_ERROR) {
      fail(path_, "gzip data is cut off at byte " + std::to_string(offset_) + ", after " +
                      std::to_string(out_.size()) + " inflated bytes; fetch the file again");
    }
    fail(path_, "gzip data is damaged near byte " + std::to_string(offset_) + " of " +
                    std::to_string(packed_.size()) + " (" +
                    (stream_.msg != nullptr ? stream_.msg : zError(status)) +
                    "); fetch the file again");
  }

  bool next_member() {
    if (offset_ == packed_.size()) return false;
    if (packed_[offset_] != 0x1f) {
      fail(path_, "gzip data ends at byte " + std::to_string(offset_) + " but the file has " +
                      std::to_string(packed_.size()) + "; fetch the file again");
    }
    inflateReset(&stream_);
    return true;
  }

  const std::filesystem::path& path_;
  std::span<const uint8_t> packed_;
  size_t most_;
  size_t offset_ = 0;  // of the next packed byte
  z_stream stream_{};
  FileBytes out_;
};

bool is_gzip(const FileBytes& raw) {
  return raw.size() >= 2 && raw.data()[0] == 0x1f && raw.data()[1] == 0x8b;
}

}  // namespace

FileBytes map_file(const std::filesystem::path& path, size_t max_bytes, Links links) {
  const Descriptor file(path, links);
  struct stat info {};
  if (fstat(file.get(), &info) != 0)
    fail(path, std::string("cannot stat: ") + std::strerror(errno));
  if (S_ISDIR(info.st_mode)) fail(path, "is a folder; name a file in it");
  if (!S_ISREG(info.st_mode)) fail(path, "is no plain file (a pipe or device); name a plain file");
  const auto size = static_cast<size_t>(info.st_size);
  if (size > max_bytes) fail_too_large(path, std::to_string(size), max_bytes);
  FileBytes bytes = MappingBuilder::of_file(file.get(), size);
  if (bytes.size() != size) {
    throw EnvironmentError(path.string() + ": cannot map " + std::to_string(size) +
                           " bytes: " + std::strerror(errno));
  }
  return bytes;
}

FileBytes read_file(const std::filesystem::path& path, size_t max_bytes) {
  FileBytes raw = map_file(path, max_bytes);
  if (!is_gzip(raw)) return raw;
  const size_t one_too_many = max_bytes + (max_bytes < std::numeric_limits<size_t>::max() ? 1 : 0);
  FileBytes bytes = Inflater(path, raw.bytes(), one_too_many).run();
  if (bytes.size() > max_bytes) {
    fail_too_large(path, "more than " + std::to_string(max_bytes), max_bytes);
  }
  return bytes;
}

FileBytes read_head(const std::filesystem::path& path, size_t count) {
  FileBytes raw = map_file(path, std::numeric_limits<size_t>::max());
  if (is_gzip(raw)) return Inflater(path, raw.bytes(), count).run();
  MappingBuilder::cut(raw, count);
  return raw;
}

}  // namespace retort::host
