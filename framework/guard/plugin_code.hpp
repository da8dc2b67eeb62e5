#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "framework/guard/running.hpp"

namespace retort::host {

/// A plugin file in the process: where its parts lie in memory, and what it was when it was loaded.
/// Lives as long as the process, as the plugin does.
struct PluginCode {
  SafeText name;     // the file as messages name it
  std::string path;  // absolute
  struct stat facts = {};
  std::vector<std::pair<uintptr_t, uintptr_t>> ranges;  // first, and behind the last
  const PluginCode* next = nullptr;
};

/// Remembers a plugin that was loaded. Inputs: an address within it. Threads: any.
void note_plugin_code(const void* address, const std::filesystem::path& file);

// For signal handlers: these neither lock nor allocate.

/// The plugin to which an address belongs, or null.
const PluginCode* plugin_code_at(uintptr_t address);

/// The first plugin whose file was written to since it was loaded, or null. One that was replaced by
/// another file is whole in memory.
const PluginCode* changed_plugin_code();

}  // namespace retort::host
