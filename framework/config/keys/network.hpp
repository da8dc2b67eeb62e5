#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/keys/data.hpp"
#include "framework/config/keys/normalize.hpp"
#include "framework/config/keys/program.hpp"
#include "framework/config/keys/train.hpp"
#include "framework/config/keys/view.hpp"

namespace retort::host {

/// How a teacher runs while it teaches: as in evaluation, or with batch statistics.
enum class TeacherMode { Evaluate, Train };

/// A network that takes part: [teacher], [student], or one of several.
struct NetworkConfig {
  std::string name;  // "teacher", "student", or its own; unique among networks
  std::string key;   // its place in the file: "student", "teacher[1]"
  ComponentChoice model;
  ProgramConfig program;  // of the model "exported"
  std::optional<std::filesystem::path>
      weights;  // absolute, or relative to the experiment file (resolved here)
  Place weights_place;
  std::map<std::string, std::string> rename;  // prefix in the file -> prefix in the model
  std::optional<Normalize> normalize;
  // What it sees, by name; the first is also what it is evaluated on. Never empty, once read.
  std::vector<std::string> views = {kDefaultView};
  TeacherMode mode = TeacherMode::Evaluate;
  TrainConfig train;  // [train], overridden key by key by [teacher].train
  Place place;

  /// The file whose values a teacher has, which is then not trained: `weights`, or its exported
  /// program, unless [teacher.train] or start = "new" says that it is. Empty where it is trained.
  std::filesystem::path given() const {
    if (weights) return *weights;
    return program.trained ? program.file : std::filesystem::path();
  }
};

}  // namespace retort::host

namespace retort::host::config {

enum class NetworkRole { Teacher, Student };

/// [teacher] or [student], or a list of them, of which each has a name. Each starts from [train],
/// which only a teacher may override.
void read_networks(Section& root, NetworkRole role, const Catalog& catalog, const DataConfig& data,
                   const TrainConfig& train, std::vector<NetworkConfig>& networks);

/// One as [student], several as [[student]].
std::string write_networks(NetworkRole role, const std::vector<NetworkConfig>& networks);

/// The names of those that have one.
std::vector<std::string> list_names(const std::vector<NetworkConfig>& networks);

}  // namespace retort::host::config
