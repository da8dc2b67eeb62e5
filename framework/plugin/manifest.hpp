#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "retort/abi.h"

namespace retort::host {

/// One option of a component, as its manifest declares it.
struct OptionInfo {
  std::string name;
  retort_option_type type = RETORT_OPTION_REAL;
  uint32_t flags = 0;  // retort_option_flags
  double default_real = 0;
  int64_t default_int = 0;  // int, bool, or the position of a choice
  std::string default_text;
  double min = 0;
  double max = 0;
  std::vector<std::string> choices;
  std::string unit;
  std::string help;
};

/// An operator outside the contract that a component says it uses.
struct OperatorName {
  std::string name;
  std::string overload;
};

/// One strategy, model or dataset, as the manifest of its plugin file declares it. No code of the
/// plugin has run.
struct ComponentInfo {
  retort_kind kind = RETORT_KIND_STRATEGY;
  uint32_t needs = 0;  // retort_need
  std::string id;
  std::string version;
  std::string summary;
  std::string licence;
  std::string paper;
  std::string verified;                   // whose code gave the values that it is tested against
  std::vector<std::string> bind_student;  // default taps
  std::vector<std::string> bind_teacher;
  int64_t batch_min = 1;
  int64_t batch_multiple_of = 1;
  std::vector<OptionInfo> options;
  std::vector<OperatorName> uses;
  std::filesystem::path file;  // the plugin that holds it; of an exported network: its program
  bool built_in = false;       // the host's own
  std::string machine;         // the processor that file is built for: "x86-64"
  uint32_t position = 0;       // among the components of that plugin
};

/// What a host speaks: every minor of the majors from oldest_major to major - 1, and up to `minor`
/// of `major`.
struct AbiRange {
  uint32_t oldest_major = RETORT_ABI_MAJOR;
  uint32_t major = RETORT_ABI_MAJOR;
  uint32_t minor = RETORT_ABI_MINOR;
};

/// Whether a host may load a plugin of that ABI. Major 0 is still moving: both must be equal.
bool abi_fits(uint32_t major, uint32_t minor, const AbiRange& host = {});
/// "built for SDK ABI 3.0, this host speaks 0.1; rebuild it ...".
std::string abi_mismatch(uint32_t major, uint32_t minor);

/// What a manifest is read for: to load the file later, or to show what it declares, which a file for
/// another processor does too.
enum class ManifestUse { Load, Show };

/// The names that no option of a component of a kind may have: keys that stand beside the options in
/// an experiment file. Who reads those files says which they are.
using ReservedNames = std::map<retort_kind, std::set<std::string>>;

/// Reads the manifest of a plugin file with bounded reads, before any of its code could run, and
/// checks what can be checked of the file without loading it: architecture, ABI, exports, and the
/// symbol versions it needs.
/// Throws: PluginError in one sentence: file, field, value found, value wanted, remedy.
std::vector<ComponentInfo> read_manifest(const std::filesystem::path& file,
                                         ManifestUse use = ManifestUse::Load,
                                         const ReservedNames& reserved = {});

/// "strategy", "model" or "dataset".
const char* kind_name(retort_kind kind);

/// "at least 2 samples", "a multiple of 4 samples" or both; empty where any batch will do.
std::string batch_rule_text(const ComponentInfo& info);

}  // namespace retort::host
