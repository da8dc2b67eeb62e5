#include "framework/exported/archive.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/io/safe_text.hpp"
#include "framework/io/torch_format.hpp"

namespace retort::host::exported {
namespace {

constexpr const char* kRemedy =
    "; write it with retort_export.save(model, example, path), see docs/bring_your_network.md";

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw DataError(file.string() + ": " + what + kRemedy);
}

/// What a file is that is no archive.
std::string describe_other(std::span<const uint8_t> bytes, const std::filesystem::path& file) {
  if (bytes.empty()) return "is empty";
  if (const auto pickle = recognise_pickle(bytes, file))
    return "is " + pickle->format + ", which holds weights and no network";
  return "is no exported program: a zip archive, whose end is missing or damaged";
}

}  // namespace

Archive Archive::open(const std::filesystem::path& file) {
  Archive archive(file, map_file(file, SIZE_MAX));
  archive.read_members();
  archive.check_format();
  return archive;
}

void Archive::read_members() {
  const std::span<const uint8_t> bytes = content_.bytes();
  const std::optional<std::vector<ZipEntry>> entries = read_zip_directory(bytes);
  if (!entries || entries->empty()) refuse(file_, describe_other(bytes, file_));
  for (const ZipEntry& entry : *entries) {
    const size_t slash = entry.name.find('/');
    const std::string name(slash == std::string_view::npos ? entry.name
                                                           : entry.name.substr(slash + 1));
    if (!entry.stored)
      refuse(file_, "its member " + safe_line(name) + " is compressed, cut short or damaged");
    if (!members_.emplace(name, entry).second)
      refuse(file_, "holds two members of the name " + safe_line(name));
  }
  if (has("archive_format")) return;
  const auto other = recognise_torch_zip(*entries, file_);
  if (!other) refuse(file_, "is a zip archive, and no exported program");
  refuse(file_,
         "is " + other->format +
             (has("models/model.json") ? " of torch before 2.9" : ", and no exported program"));
}

void Archive::check_format() const {
  if (text("archive_format") != "pt2")
    refuse(file_, "its archive_format is \"" + safe_line(text("archive_format")) + "\", not pt2");
  if (text("archive_version") != "0") {
    refuse(file_, "its archive_version is " + safe_line(text("archive_version")) +
                      "; version 0 is read, which torch 2.11 to 2.14 write");
  }
  if (has("byteorder") && text("byteorder") != "little")
    refuse(file_, "was written on a machine of the other byte order");
  if (!has("models/model.json"))
    refuse(file_,
           "holds no models/model.json, so that it is compiled code or another kind of package");
}

const ZipEntry& Archive::entry(const std::string& member) const {
  const auto found = members_.find(member);
  if (found == members_.end()) refuse(file_, "has no member " + safe_line(member));
  return found->second;
}

std::span<const uint8_t> Archive::bytes(const std::string& member) const {
  return entry(member).content;
}

std::string_view Archive::text(const std::string& member) const {
  const std::span<const uint8_t> content = bytes(member);
  return {reinterpret_cast<const char*>(content.data()), content.size()};
}

}  // namespace retort::host::exported
