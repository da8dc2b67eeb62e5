#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "framework/run/session.hpp"
#include "framework/train/evaluate.hpp"

namespace retort::host {

/// Trained teachers, kept in OUT/teachers under a key of all that shaped them: the model's and the
/// data set's plugin files, the data, the recipe, the precision and the seed. Threads, device and
/// versions are recorded beside the weights and are no part of the key.
class TeacherStore {
 public:
  TeacherStore(const Session& session, const NetworkConfig& teacher);

  const std::filesystem::path& file() const { return file_; }

  /// Loads the kept teacher into the network, and returns its accuracy; nothing where none is kept,
  /// or where the file is damaged (which is logged).
  std::optional<Accuracy> load(Network& teacher) const;
  /// Throws: NonFiniteError for weights that are not finite; none is kept then.
  void save(const Network& teacher, const Accuracy& accuracy) const;

 private:
  std::filesystem::path file_;
  std::string key_;
};

}  // namespace retort::host
