#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/plugin/manifest.hpp"

namespace retort::host {

/// Every component that the plugin folders hold, known from the manifests alone. Files that are
/// wrong are remembered with their reason, and do not keep the others from being found.
class Catalog {
 public:
  /// Scans folders for *.retort, each folder in name order. Of two components with one kind and id
  /// the first one found counts; the second one's file is refused as a problem.
  /// A file whose component has an option of a reserved name is refused.
  static Catalog scan(const std::vector<std::filesystem::path>& folders,
                      const ReservedNames& reserved = {});

  /// A catalog of components that come from no file: for tests.
  static Catalog of(std::vector<ComponentInfo> components) {
    Catalog catalog;
    catalog.components_ = std::move(components);
    std::sort(catalog.components_.begin(), catalog.components_.end(),
              [](const auto& a, const auto& b) {
                return a.kind != b.kind ? a.kind < b.kind : a.id < b.id;
              });
    return catalog;
  }

  /// Adds one plugin file. Throws: PluginError as read_manifest, or for a duplicate id.
  void add_file(const std::filesystem::path& file, const ReservedNames& reserved = {});

  /// Adds the host's own components. A plugin's of the same kind and id is refused as a problem.
  void add_built_in();

  /// The component of that kind and id, or null.
  const ComponentInfo* find(retort_kind kind, std::string_view id) const;
  /// All components, sorted by kind and id. Pointers from find stay valid while the catalog lives
  /// and add_file is not called.
  const std::vector<ComponentInfo>& components() const { return components_; }
  /// One sentence for each file that was refused.
  const std::vector<std::string>& problems() const { return problems_; }
  const std::vector<std::filesystem::path>& folders() const { return folders_; }

 private:
  std::vector<ComponentInfo> components_;
  std::vector<std::string> problems_;
  std::vector<std::filesystem::path> folders_;
};

/// The folders that are searched: those of RETORT_PLUGIN_PATH (separated by ':'), then "plugins"
/// beside the program
/// ("../plugins" from its own folder).
std::vector<std::filesystem::path> plugin_search_path();

}  // namespace retort::host
