#pragma once

#include <string>

#include "framework/plugin/manifest.hpp"

namespace retort::host {

/// SHA-256 of the file that holds a component, as the file was when this process first asked: the
/// code that runs is that one, also where the file is built anew in the middle of a sweep.
/// Throws:  DataError when the file cannot be read.
/// Threads: any.
std::string hash_of_plugin(const ComponentInfo& info);

}  // namespace retort::host
