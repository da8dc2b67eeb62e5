#pragma once

#include <boost/dll/shared_library_load_mode.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "framework/plugin/manifest.hpp"

namespace retort::host {

/// A plugin file loaded into this process. It stays loaded until the process ends: its code may be
/// on a stack, in a graph of autograd or in a static destructor.
class Library {
 public:
  /// Loads a file, once in a process: reads its manifest, tries it in a child process, loads it,
  /// compares its table with the manifest and attaches it to `host`, which must live as long as the
  /// process.
  /// Throws:  PluginError in one sentence; a later call tries again.
  /// Threads: any; one at a time gets in. No other may be loading libraries (see trial_load).
  static std::shared_ptr<Library> open(const std::filesystem::path& file, const retort_host* host);

  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// What the manifest says of each component, in order.
  const std::vector<ComponentInfo>& components() const { return components_; }
  /// The functions of a component.
  /// Throws: PluginError where there is no such position.
  const retort_component& component(uint32_t position) const;

 private:
  explicit Library(const std::filesystem::path& file);
  void check_table() const;
  void attach(const retort_host* host) const;
  [[noreturn]] void refuse(const std::string& reason) const;

  std::filesystem::path path_;
  std::vector<ComponentInfo> components_;
  const retort_plugin* table_ = nullptr;
};

/// How plugins are loaded: RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE. Boost.DLL has no name for the
/// last one, but passes the bits on as they are.
boost::dll::load_mode::type plugin_load_mode();

}  // namespace retort::host
