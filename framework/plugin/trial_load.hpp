#pragma once

#include <chrono>
#include <filesystem>

namespace retort::host {

/// Loads a plugin in a child process first, so that one that throws, crashes, exits or hangs in its
/// static constructors takes the child down and not this process. Only an answer of the child
/// counts, not its exit code.
///
/// The child is a plain fork: it needs no second program, and does not pay for LibTorch's start. Of
/// this process's threads only the calling one lives on in it; it loads the file, answers and ends
/// at once, and runs none of this process's exit handlers. A fork costs 2 ms in a process that has
/// just started, 60 ms in one that holds 500 MB: plugins are opened before tensors are made.
///
/// Throws:  PluginError in one sentence.
/// Threads: any, while no other thread loads libraries: the child would find the loader locked.
void trial_load(const std::filesystem::path& file,
                std::chrono::milliseconds limit = std::chrono::seconds(5));

}  // namespace retort::host
