#include "framework/plugin/elf_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "framework/base/error.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

#if defined(__x86_64__)
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t kMachine = EM_AARCH64;
#else
#error "Retort runs on x86-64 and aarch64"
#endif

constexpr uint64_t kMaxText = 65536;  // bytes of a symbol's or section's name
constexpr uint64_t kMaxNeeds = 4096;  // symbol versions of a file

static_assert(std::endian::native == std::endian::little, "Retort reads files by memory copies");

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return "machine number " + std::to_string(machine);
  }
}

std::string bytes(uint64_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

/// A library or version name; these are short.
std::string short_name(std::string_view text) { return std::string(text.substr(0, 255)); }

/// The record at `offset`, or nothing where it does not fit.
template <class Record>
std::optional<Record> record_at(const std::vector<char>& data, uint64_t offset) {
  if (offset > data.size() || data.size() - offset < sizeof(Record)) return std::nullopt;
  Record record;
  std::memcpy(&record, data.data() + offset, sizeof record);
  return record;
}

}  // namespace

std::string shown(std::string_view text, size_t limit) {
  return safe_line(cut_text(text, limit)) + (text.size() > limit ? "..." : "");
}

std::string this_machine() { return machine_name(kMachine); }

ElfFile::ElfFile(const std::filesystem::path& file, Machine machine) : path_(file) {
  // O_NONBLOCK: a named pipe must not hold the scan up.
  descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0)
    refuse(std::string("cannot be opened (") + std::strerror(errno) + "); check the path");
  try {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode))
      refuse("is a folder or a device, not a plugin file; name a .retort file");
    size_ = static_cast<uint64_t>(status.st_size);
    check_header(machine);
    check_segments();
    read_sections();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

ElfFile::~ElfFile() { ::close(descriptor_); }

void ElfFile::refuse(const std::string& reason) const {
  throw PluginError(path_.string() + ": " + reason);
}

std::string ElfFile::machine() const { return machine_name(header_.e_machine); }

bool ElfFile::is_foreign() const { return header_.e_machine != kMachine; }

void ElfFile::check_header(Machine machine) {
  if (size_ == 0) refuse("is empty; build it again");
  unsigned char ident[EI_NIDENT] = {};
  read(0, ident, std::min<uint64_t>(size_, sizeof ident));
  if (std::memcmp(ident, ELFMAG, std::min<uint64_t>(size_, SELFMAG)) != 0) {
    const std::string start(ident, ident + std::min<uint64_t>(size_, 8));
    refuse("begins with \"" + shown(start) +
           "\", not with an ELF header: it is no shared library; build it with sdk/plugin.flags");
  }
  if (size_ < sizeof header_)
    refuse("is cut short: " + bytes(size_) + ", and its header alone takes " +
           std::to_string(sizeof header_) + "; copy or build it again");
  read(0, &header_, sizeof header_);
  if (ident[EI_CLASS] != ELFCLASS64)
    refuse("is a 32-bit file, this host is 64-bit; build it again for " + machine_name(kMachine));
  if (ident[EI_DATA] != ELFDATA2LSB)
    refuse("is a big-endian file, this host is little-endian; build it again for " +
           machine_name(kMachine));
  if (machine == Machine::This && is_foreign())
    refuse("is built for " + this->machine() + ", this machine is " + this_machine() +
           "; build it again for this machine");
  if (header_.e_type != ET_DYN)
    refuse("is an ELF file of type " + std::to_string(header_.e_type) +
           ", not a shared library (type 3); build it with sdk/plugin.flags");
}

void ElfFile::check_segments() const {
  const uint64_t count = header_.e_phnum;
  if (count == 0 || header_.e_phentsize != sizeof(Elf64_Phdr))
    refuse("has " + std::to_string(count) + " program headers of " + bytes(header_.e_phentsize) +
           ", a shared library has some of " + std::to_string(sizeof(Elf64_Phdr)) +
           "; build it again");
  std::vector<Elf64_Phdr> segments(count);
  read(header_.e_phoff, segments.data(), count * sizeof(Elf64_Phdr));
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_offset > size_ || segment.p_filesz > size_ - segment.p_offset)
      refuse("is cut short: a segment of " + bytes(segment.p_filesz) + " begins at byte " +
             std::to_string(segment.p_offset) + ", the file has " + bytes(size_) +
             "; copy or build it again");
  }
}

void ElfFile::read_sections() {
  const uint64_t count = header_.e_shnum;
  if (count == 0 || header_.e_shentsize != sizeof(Elf64_Shdr))
    refuse("has " + std::to_string(count) + " section headers of " + bytes(header_.e_shentsize) +
           ", a plugin has some of " + std::to_string(sizeof(Elf64_Shdr)) +
           "; build it again and keep its section headers");
  uint64_t unclaimed = size_;  // sections of a file do not overlap: no byte is read twice
  const auto claim = [&](uint64_t offset, uint64_t size, const char* what) {
    if (offset > size_ || size > size_ - offset || size > unclaimed)
      refuse(std::string("is cut short or damaged: ") + what + " of " + bytes(size) +
             " begins at byte " + std::to_string(offset) + ", the file has " + bytes(size_) +
             "; copy or build it again");
    unclaimed -= size;
  };
  claim(header_.e_shoff, count * sizeof(Elf64_Shdr), "its section table");
  sections_.resize(count);
  read(header_.e_shoff, sections_.data(), count * sizeof(Elf64_Shdr));
  for (const Elf64_Shdr& section : sections_)
    if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL)
      claim(section.sh_offset, section.sh_size, "a section");
  if (header_.e_shstrndx >= count)
    refuse("is damaged: section " + std::to_string(header_.e_shstrndx) +
           " should hold the section names, there are " + std::to_string(count) +
           "; build it again");
  section_names_ = bytes_of(sections_[header_.e_shstrndx]);
}

void ElfFile::read(uint64_t offset, void* data, uint64_t size) const {
  if (offset > size_ || size > size_ - offset)
    refuse("is cut short: " + bytes(size) + " are wanted at byte " + std::to_string(offset) +
           ", the file has " + bytes(size_) + "; copy or build it again");
  uint64_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(descriptor_, static_cast<char*>(data) + done, size - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      refuse("cannot be read at byte " + std::to_string(offset + done) + " (" +
             (got < 0 ? std::strerror(errno) : "it shrank meanwhile") + "); try again");
    done += static_cast<uint64_t>(got);
  }
}

std::vector<char> ElfFile::bytes_of(const Elf64_Shdr& section) const {
  if (section.sh_type == SHT_NOBITS || section.sh_type == SHT_NULL) return {};
  std::vector<char> data(section.sh_size);
  read(section.sh_offset, data.data(), data.size());
  return data;
}

const Elf64_Shdr* ElfFile::of_type(uint32_t type) const {
  const auto found = std::ranges::find(sections_, type, &Elf64_Shdr::sh_type);
  return found == sections_.end() ? nullptr : &*found;
}

std::vector<char> ElfFile::linked_texts(const Elf64_Shdr& section) const {
  if (section.sh_link >= sections_.size())
    refuse("is damaged: a section takes its names from section " + std::to_string(section.sh_link) +
           ", there are " + std::to_string(sections_.size()) + "; build it again");
  return bytes_of(sections_[section.sh_link]);
}

std::string_view ElfFile::text_at(const std::vector<char>& texts, uint64_t offset) const {
  const uint64_t room = offset < texts.size() ? std::min(texts.size() - offset, kMaxText) : 0;
  const char* start = texts.data() + (room == 0 ? 0 : offset);
  const uint64_t length = room == 0 ? 0 : ::strnlen(start, room);
  if (length == room)
    refuse("is damaged: a name begins at byte " + std::to_string(offset) + " of a table of " +
           bytes(texts.size()) + " and does not end in it; build it again");
  return {start, length};
}

std::optional<std::vector<char>> ElfFile::section(std::string_view name, uint64_t max_bytes) const {
  for (const Elf64_Shdr& section : sections_) {
    if (section.sh_type == SHT_NULL || text_at(section_names_, section.sh_name) != name) continue;
    if (section.sh_size > max_bytes)
      refuse("has a section " + std::string(name) + " of " + bytes(section.sh_size) + "; at most " +
             std::to_string(max_bytes) + " are read");
    return bytes_of(section);
  }
  return std::nullopt;
}

void ElfFile::each_symbol(const std::function<bool(const ElfSymbol&)>& visit) const {
  const Elf64_Shdr* table = of_type(SHT_DYNSYM);
  if (table == nullptr) return;
  const std::vector<char> symbols = bytes_of(*table);
  const std::vector<char> names = linked_texts(*table);
  for (uint64_t at = 0; const auto symbol = record_at<Elf64_Sym>(symbols, at);
       at += sizeof(Elf64_Sym)) {
    const ElfSymbol seen{
        text_at(names, symbol->st_name), static_cast<uint8_t>(ELF64_ST_BIND(symbol->st_info)),
        static_cast<uint8_t>(ELF64_ST_VISIBILITY(symbol->st_other)), symbol->st_shndx != SHN_UNDEF};
    if (!visit(seen)) return;
  }
}

std::vector<ElfVersionNeed> ElfFile::version_needs() const {
  std::vector<ElfVersionNeed> needs;
  const Elf64_Shdr* table = of_type(SHT_GNU_verneed);
  if (table == nullptr) return needs;
  const std::vector<char> data = bytes_of(*table);
  const std::vector<char> names = linked_texts(*table);
  uint64_t left = kMaxNeeds;
  uint64_t at = 0;
  while (const auto library = record_at<Elf64_Verneed>(data, at)) {
    uint64_t entry = at + library->vn_aux;
    for (uint32_t i = 0; i < library->vn_cnt && left > 0; ++i, --left) {
      const auto need = record_at<Elf64_Vernaux>(data, entry);
      if (!need) break;
      if ((need->vna_flags & VER_FLG_WEAK) == 0)
        needs.push_back({short_name(text_at(names, library->vn_file)),
                         short_name(text_at(names, need->vna_name))});
      if (need->vna_next == 0) break;
      entry += need->vna_next;
    }
    if (library->vn_next == 0 || left == 0) break;
    at += library->vn_next;
  }
  return needs;
}

std::vector<std::string> ElfFile::version_definitions() const {
  std::vector<std::string> versions;
  const Elf64_Shdr* table = of_type(SHT_GNU_verdef);
  if (table == nullptr) return versions;
  const std::vector<char> data = bytes_of(*table);
  const std::vector<char> names = linked_texts(*table);
  uint64_t at = 0;
  while (const auto definition = record_at<Elf64_Verdef>(data, at)) {
    if (versions.size() == kMaxNeeds) break;
    if (const auto name = record_at<Elf64_Verdaux>(data, at + definition->vd_aux))
      versions.push_back(short_name(text_at(names, name->vda_name)));
    if (definition->vd_next == 0) break;
    at += definition->vd_next;
  }
  return versions;
}

}  // namespace retort::host
