#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace retort::host::exported {

/// Writes a copy of a file of torch.export with other values of its parameters and buffers: their bytes
/// are replaced where they lie, and the checksums of the archive with them. All else, graphs and
/// extra files, is the user's own, so that torch.export.load takes it.
/// Inputs:  `values` by their names in the state_dict, all of the file's, on the CPU.
/// Throws:  DataError for a file that is no program, and for values that do not fit it, each named;
///          EnvironmentError where `to` cannot be written.
void write_program(const std::filesystem::path& from, const std::filesystem::path& to,
                   const std::vector<std::pair<std::string, at::Tensor>>& values);

}  // namespace retort::host::exported
