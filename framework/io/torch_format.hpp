#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/io/zip_directory.hpp"

namespace retort::host {

/// How Python reads the weights of a file that is in another format.
struct PythonReader {
  std::string format;   // "a PyTorch file (torch.save)"
  std::string imports;  // "torch, "
  std::string tensors;  // an expression: a dict of tensors; "" where there is none
  std::string saver = "safetensors.torch";
  std::string note;  // what to know besides; may be empty
};

/// Recognises what torch.save, torch.jit.save and torch.export.save put into a zip archive; nothing
/// for another archive. A dict around the weights ("state_dict", "model") is taken into account.
std::optional<PythonReader> recognise_torch_zip(const std::vector<ZipEntry>& entries,
                                                const std::filesystem::path& path);

/// The same for the older formats of torch.save, and for any other pickled file.
std::optional<PythonReader> recognise_pickle(std::span<const uint8_t> bytes,
                                             const std::filesystem::path& path);

/// A tar archive: the oldest format of torch.save, or nothing for another archive.
std::optional<PythonReader> recognise_torch_tar(std::span<const uint8_t> bytes,
                                                const std::filesystem::path& path);

/// The text as a Python literal, in double quotes.
std::string python_literal(std::string_view text);

}  // namespace retort::host
