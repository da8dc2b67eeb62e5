#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace retort::test {

/// Writes a zip archive as torch.export does: members stored, checksums behind them too.
class ZipWriter {
 public:
  /// A member, below the archive's folder "net/".
  void add(const std::string& name, const std::string& content) {
    Member member = {
        "net/" + name, bytes_.size(),
        static_cast<uint32_t>(crc32(0, read_bytes(content), static_cast<uInt>(content.size()))),
        content.size()};
    header(Place::BeforeContent, member);
    bytes_ += content;
    put(0x08074b50, 4);
    put(member.checksum, 4);
    put(member.size, 4);
    put(member.size, 4);
    members_.push_back(std::move(member));
  }

  std::string finish() {
    const size_t directory = bytes_.size();
    for (const Member& member : members_) header(Place::Directory, member);
    const size_t size = bytes_.size() - directory;
    put(0x06054b50, 4);
    put(0, 4);
    put(members_.size(), 2);
    put(members_.size(), 2);
    put(size, 4);
    put(directory, 4);
    put(0, 2);
    return bytes_;
  }

 private:
  struct Member {
    std::string name;
    size_t at;
    uint32_t checksum;
    size_t size;
  };

  enum class Place { BeforeContent, Directory };

  static const Bytef* read_bytes(const std::string& text) {
    return reinterpret_cast<const Bytef*>(text.data());
  }
  void put(uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) bytes_ += static_cast<char>(number >> (8 * i));
  }
  void header(Place place, const Member& member) {
    const bool in_directory = place == Place::Directory;
    put(in_directory ? 0x02014b50 : 0x04034b50, 4);
    if (in_directory) put(0, 2);
    put(0, 2);
    put(8, 2);  // the checksum stands behind the content, too
    put(0, 2);  // stored
    put(0, 4);
    put(member.checksum, 4);
    put(member.size, 4);
    put(member.size, 4);
    put(member.name.size(), 2);
    put(0, 2);
    if (in_directory) {
      put(0, 2);
      put(0, 2);
      put(0, 2);
      put(0, 4);
      put(member.at, 4);
    }
    bytes_ += member.name;
  }

  std::string bytes_;
  std::vector<Member> members_;
};

}  // namespace retort::test
