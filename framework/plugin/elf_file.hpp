#pragma once

#include <elf.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retort::host {

/// A dynamic symbol; the name points into memory of the call that hands it out.
struct ElfSymbol {
  std::string_view name;
  uint8_t binding = STB_LOCAL;
  uint8_t visibility = STV_DEFAULT;
  bool defined = false;
};

/// A symbol version that a file needs of a library: {"libstdc++.so.6", "GLIBCXX_3.4.32"}.
struct ElfVersionNeed {
  std::string library;
  std::string version;
};

/// Whose files are taken: those of this machine's processor, or any 64-bit little-endian one's.
enum class Machine { This, Any };

/// A 64-bit shared object, read section by section. Every offset and size is
/// checked against the file, and nothing larger than the file is allocated, whatever its bytes say.
/// Throws: PluginError in one sentence from every member: file, value found, value wanted, remedy.
class ElfFile {
 public:
  /// Opens the file and checks header, segments and sections.
  explicit ElfFile(const std::filesystem::path& file, Machine machine = Machine::This);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// The processor that it is built for: "x86-64", "aarch64".
  std::string machine() const;
  /// Whether that is another than this machine's.
  bool is_foreign() const;
  /// The bytes of the section of that name; nothing where there is none.
  std::optional<std::vector<char>> section(std::string_view name, uint64_t max_bytes) const;
  /// Calls `visit` for each dynamic symbol until it returns false.
  void each_symbol(const std::function<bool(const ElfSymbol&)>& visit) const;
  /// What the file asks of others (.gnu.version_r), weak needs left out.
  std::vector<ElfVersionNeed> version_needs() const;
  /// What the file offers to others (.gnu.version_d).
  std::vector<std::string> version_definitions() const;

  /// Throws PluginError "FILE: reason".
  [[noreturn]] void refuse(const std::string& reason) const;

 private:
  void check_header(Machine machine);
  void check_segments() const;
  void read_sections();
  void read(uint64_t offset, void* data, uint64_t size) const;
  std::vector<char> bytes_of(const Elf64_Shdr& section) const;
  /// The one section of that type, or null.
  const Elf64_Shdr* of_type(uint32_t type) const;
  /// The text table that a section links to.
  std::vector<char> linked_texts(const Elf64_Shdr& section) const;
  std::string_view text_at(const std::vector<char>& texts, uint64_t offset) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Shdr> sections_;
  std::vector<char> section_names_;
};

/// The processor of this machine, as ElfFile::machine() names it.
std::string this_machine();

/// A text of an untrusted file as a message may show it: safe_line(), cut to `limit` bytes.
std::string shown(std::string_view text, size_t limit = 80);

}  // namespace retort::host
