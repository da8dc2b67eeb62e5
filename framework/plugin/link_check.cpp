#include "framework/plugin/link_check.hpp"

#include <cxxabi.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "framework/base/error.hpp"
#include "retort/abi.h"

namespace retort::host {
namespace {

/// Whether a mangled name belongs to the standard library. Its templates are exported from every
/// C++ file whatever -fvisibility says; they are the same in all files, and -Bsymbolic keeps each
/// plugin to its own. So are the placement forms of new and delete where nothing is inlined (-O0).
bool is_standard_library(std::string_view name) {
  for (const char* placement : {"_ZnwmPv", "_ZnamPv", "_ZdlPvS_", "_ZdaPvS_"})
    if (name == placement) return true;
  const auto skip = [&name](std::string_view prefix) {
    if (!name.starts_with(prefix)) return false;
    name.remove_prefix(prefix.size());
    return true;
  };
  if (!skip("_Z")) return false;
  for (const char* special : {"TV", "TI", "TS", "TT", "GV", "GR"})
    if (skip(special)) break;
  while (skip("Z")) {  // local to a function
  }
  if (skip("N"))
    while (skip("r") || skip("V") || skip("K") || skip("R") || skip("O")) {
    }
  constexpr std::string_view kOwners[] = {"St", "Sa", "Ss",         "Sb",          "Si",
                                          "So", "Sd", "9__gnu_cxx", "10__cxxabiv1"};
  return std::ranges::any_of(kOwners,
                             [&](std::string_view owner) { return name.starts_with(owner); });
}

/// Names that some linkers export from every shared object, and AddressSanitizer beside the entry.
bool is_tool_symbol(std::string_view name) {
  constexpr std::string_view kNames[] = {"_init", "_fini",       "_edata",
                                         "_end",  "__bss_start", "__odr_asan." RETORT_ENTRY_SYMBOL};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

std::string demangled(std::string_view symbol) {
  int status = 0;
  char* text = abi::__cxa_demangle(std::string(symbol).c_str(), nullptr, nullptr, &status);
  std::string result = text == nullptr ? "" : text;
  std::free(text);
  return result;
}

/// "Mine::Options::Options() (_ZN4Mine7OptionsC2Ev)".
std::string readable(std::string_view symbol) {
  const std::string text = demangled(symbol);
  return text.empty() ? shown(symbol) : shown(text) + " (" + shown(symbol) + ")";
}

/// What an author does about a symbol that is exported: a static library brings its own along.
std::string remedy_of_export(std::string_view symbol) {
  if (symbol.starts_with("__gcov") || symbol.starts_with("__llvm_profile"))
    return "build it without --coverage, or link it with -Wl,--exclude-libs,ALL";
  const std::string text = demangled(symbol);
  const bool is_runtime = symbol.starts_with("__cxa_") || symbol.starts_with("_Unwind_") ||
                          text.find("std::") != std::string::npos ||
                          text.find("__cxxabiv1") != std::string::npos ||
                          text.find("_txnal_") != std::string::npos;
  if (is_runtime)
    return "the C++ runtime is linked into it (-static-libstdc++, -static-libgcc): link it with "
           "-Wl,--exclude-libs,ALL as well";
  return "build it with sdk/plugin.flags; what is from a static library is hidden by "
         "-Wl,--exclude-libs,ALL";
}

void check_exports(const ElfFile& elf) {
  bool has_entry = false;
  elf.each_symbol([&](const ElfSymbol& symbol) {
    if (!symbol.defined || symbol.binding == STB_LOCAL || symbol.visibility == STV_HIDDEN ||
        symbol.visibility == STV_INTERNAL)
      return true;
    if (symbol.name == RETORT_ENTRY_SYMBOL) return has_entry = true;
    if (is_standard_library(symbol.name) || is_tool_symbol(symbol.name)) return true;
    const std::string name = readable(symbol.name);
    if (symbol.binding == STB_GNU_UNIQUE)
      elf.refuse("shares the variable " + name +
                 " with every other plugin (STB_GNU_UNIQUE); build it with sdk/plugin.flags");
    elf.refuse("exports " + name + ", a plugin exports only " RETORT_ENTRY_SYMBOL "; " +
               remedy_of_export(symbol.name));
  });
  if (!has_entry)
    elf.refuse("does not export " RETORT_ENTRY_SYMBOL
               "; end the source with RETORT_STRATEGY, RETORT_MODEL, RETORT_DATASET or "
               "RETORT_PLUGIN, and do not hide that symbol");
}

/// The versions that one loaded library offers, read once.
using Versions = std::set<std::string>;

struct LoadedLibrary {
  std::string_view name;
  std::filesystem::path path;
};

int match_library(dl_phdr_info* info, size_t, void* data) {
  auto& wanted = *static_cast<LoadedLibrary*>(data);
  const std::filesystem::path path = info->dlpi_name;
  if (path.filename() != wanted.name) return 0;
  wanted.path = path;
  return 1;
}

/// What this process's copy of a library offers; null where it has not loaded that library: the
/// loader will say.
const Versions* offered_by(const std::string& library) {
  thread_local std::map<std::string, Versions> known;
  const auto found = known.find(library);
  if (found != known.end()) return &found->second;
  LoadedLibrary loaded{library, {}};
  if (::dl_iterate_phdr(match_library, &loaded) == 0) return nullptr;
  const std::vector<std::string> versions = ElfFile(loaded.path).version_definitions();
  return &known.emplace(library, Versions(versions.begin(), versions.end())).first->second;
}

/// "3.4.32" of "GLIBCXX_3.4.32"; empty where the name does not end so.
std::string_view number_of(std::string_view version) {
  const size_t underscore = version.rfind('_');
  const bool numbered = underscore != std::string_view::npos && underscore + 1 < version.size() &&
                        version[underscore + 1] >= '0' && version[underscore + 1] <= '9';
  return numbered ? version.substr(underscore + 1) : std::string_view();
}

/// The parts of "3.4.32" as numbers, so that 3.4.9 is below 3.4.30.
std::vector<uint64_t> parts_of(std::string_view number) {
  std::vector<uint64_t> parts(1, 0);
  for (const char c : number) {
    if (c == '.') parts.push_back(0);
    if (c >= '0' && c <= '9') parts.back() = parts.back() * 10 + static_cast<uint64_t>(c - '0');
  }
  return parts;
}

/// The newest number on offer under the same prefix as `wanted`; empty where there is none.
std::string newest_like(const Versions& versions, std::string_view wanted) {
  const std::string_view prefix = wanted.substr(0, wanted.size() - number_of(wanted).size());
  std::string newest;
  for (const std::string& version : versions) {
    const std::string_view number = number_of(version);
    if (number.empty() || version.substr(0, version.size() - number.size()) != prefix) continue;
    if (newest.empty() || parts_of(newest) < parts_of(number)) newest = number;
  }
  return newest;
}

void check_versions(const ElfFile& elf) {
  for (const auto& [library, version] : elf.version_needs()) {
    const Versions* offered = offered_by(library);
    if (offered == nullptr || offered->contains(version)) continue;
    const std::string newest = newest_like(*offered, version);
    elf.refuse("needs " + shown(version) + " of " + shown(library) + ", this machine has " +
               (newest.empty() ? "none of that name" : newest) +
               "; build it again on this machine or on an older system");
  }
}

}  // namespace

void check_links(const ElfFile& elf) {
  check_exports(elf);
  if (!elf.is_foreign()) check_versions(elf);
}

}  // namespace retort::host
