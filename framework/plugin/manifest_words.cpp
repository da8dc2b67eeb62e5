// What a manifest says, in words.
#include <string>

#include "framework/plugin/manifest.hpp"

namespace retort::host {

const char* kind_name(retort_kind kind) {
  switch (kind) {
    case RETORT_KIND_STRATEGY:
      return "strategy";
    case RETORT_KIND_MODEL:
      return "model";
    case RETORT_KIND_DATASET:
      return "dataset";
  }
  return "component";
}

std::string batch_rule_text(const ComponentInfo& info) {
  const int64_t min = info.batch_min, step = info.batch_multiple_of;
  const std::string least = "at least " + std::to_string(min) + " samples";
  if (step <= 1) return min <= 1 ? std::string() : least;
  const std::string multiple = "a multiple of " + std::to_string(step);
  return min <= step ? multiple + " samples" : least + ", " + multiple;
}

bool abi_fits(uint32_t major, uint32_t minor, const AbiRange& host) {
  if (major == 0 || host.major == 0) return major == host.major && minor == host.minor;
  if (major < host.oldest_major || major > host.major) return false;
  return major < host.major || minor <= host.minor;
}

std::string abi_mismatch(uint32_t major, uint32_t minor) {
  const AbiRange host;
  const std::string oldest =
      host.oldest_major == host.major ? "" : std::to_string(host.oldest_major) + ".0 to ";
  return "built for SDK ABI " + std::to_string(major) + "." + std::to_string(minor) +
         ", this host speaks " + oldest + std::to_string(host.major) + "." +
         std::to_string(host.minor) + "; rebuild it with this host's SDK or use a newer retort";
}

}  // namespace retort::host
