#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace retort::host {

/// Recognises, by its content, a file that holds weights in another format than safetensors, or that
/// was fetched as something else (a web page, a pointer, an archive).
/// Output:  "is a PyTorch file (torch.save), not a safetensors file; convert it ...", with two lines
///          of Python that do so, where the format allows it; "" for unknown content.
/// `path` is the file's: the lines of Python name it, and its .safetensors neighbour.
std::string describe_other_format(std::span<const uint8_t> bytes,
                                  const std::filesystem::path& path);

}  // namespace retort::host
