#pragma once

#include "framework/plugin/elf_file.hpp"

namespace retort::host {

/// Checks how a plugin would link into this process: it exports retort_plugin_v1 and nothing else
/// but instances of the standard library's templates, shares no variable with other plugins, and
/// needs no newer libc or libstdc++ than the ones this process has loaded.
/// Of a file for another processor only the exports are checked.
/// Throws: PluginError that names the symbol or the version, and the remedy.
void check_links(const ElfFile& elf);

}  // namespace retort::host
