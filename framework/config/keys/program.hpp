#pragma once

#include <filesystem>
#include <string>

#include "framework/config/place.hpp"
#include "framework/config/section.hpp"

namespace retort::host {

/// What a network of the model "exported" starts from: the values of its file, or new ones that are
/// drawn as PyTorch's modules draw them.
enum class ProgramStart { File, New };

/// The exported program of a network; empty for a plugin's model.
struct ProgramConfig {
  std::filesystem::path file;  // absolute
  Place file_place = {};
  std::string logits = {};  // "output#1"; "": the one output that can be the logits
  Place logits_place = {};
  ProgramStart start = ProgramStart::File;
  Place start_place = {};
  bool trained =
      false;  // its values are a trained network's: a teacher's, whose training nothing tells
};

}  // namespace retort::host

namespace retort::host::config {

/// file, logits and start: keys of a network whose model is "exported", and of no other.
void read_program(Section& section, bool is_exported, ProgramConfig& program);

/// Those lines that are not as by default.
std::string write_program(const ProgramConfig& program);

/// The file that a key names: beside the file that the key stands in, or from the command line in the
/// current folder. One that is not there is a mistake; `kind` says what it must be: "a .pt2 file".
std::filesystem::path find_file(const Node& node, const std::string& text, const std::string& what,
                                const std::string& kind, Diagnostics& diagnostics);

}  // namespace retort::host::config
