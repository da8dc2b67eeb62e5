#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace retort::test {

/// A folder of its own for one test; it goes when the test ends.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "retort-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  Scratch(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(folder_); }

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }

  /// Writes a file and gives its path.
  std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

/// While it lives, permissions count even when the tests are run by the superuser.
class AsPlainUser {
 public:
  AsPlainUser() : before_(geteuid()) {
    if (before_ == 0) active_ = seteuid(65534) == 0;  // nobody
  }
  AsPlainUser(const AsPlainUser&) = delete;
  ~AsPlainUser() { EXPECT_EQ(seteuid(before_), 0); }
  /// False when the superuser may not become another.
  bool active() const { return active_; }

 private:
  uid_t before_;
  bool active_ = true;
};

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline size_t files_in(const std::filesystem::path& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// The message of the Failure that `action` throws; "" when it throws nothing. Any other exception
/// is let through and fails the test.
template <class Failure, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

}  // namespace retort::test
