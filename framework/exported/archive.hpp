#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "framework/io/file_bytes.hpp"
#include "framework/io/zip_directory.hpp"

namespace retort::host::exported {

/// A file of torch.export.save, memory-mapped: a zip archive whose members are stored as they are.
/// Every position in it is checked before the object exists.
/// Source:  PyTorch, "PT2 Archive Spec", version 0.
class Archive {
 public:
  /// Throws: DataError with the file, what was found and the remedy, for one that is missing, cut
  ///         short or of another format; one that torch.save or torch.jit.save wrote is named as that.
  static Archive open(const std::filesystem::path& file);

  /// The bytes of a member, whose name is without the archive's own folder: "models/model.json".
  /// Throws: DataError where there is none.
  std::span<const uint8_t> bytes(const std::string& member) const;
  std::string_view text(const std::string& member) const;
  bool has(const std::string& member) const { return members_.count(member) != 0; }
  /// Where it lies in the file. Throws: DataError where there is none.
  const ZipEntry& entry(const std::string& member) const;

  const std::filesystem::path& file() const { return file_; }
  std::span<const uint8_t> all_bytes() const { return content_.bytes(); }

 private:
  Archive(std::filesystem::path file, FileBytes content)
      : file_(std::move(file)), content_(std::move(content)) {}
  void read_members();
  void check_format() const;

  std::filesystem::path file_;
  FileBytes content_;
  std::map<std::string, ZipEntry> members_;
};

}  // namespace retort::host::exported
