#include "framework/plugin/catalog.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

auto key_of(const ComponentInfo& info) {
  return std::tuple<retort_kind, std::string_view>(info.kind, info.id);
}

/// The plugin files of a folder in name order.
std::vector<std::filesystem::path> plugin_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".retort") files.push_back(entry->path());
  if (error)
    throw PluginError(folder.string() + ": cannot be searched for plugins (" + error.message() +
                      "); check RETORT_PLUGIN_PATH and the folder's permissions");
  std::ranges::sort(files);
  return files;
}

}  // namespace

Catalog Catalog::scan(const std::vector<std::filesystem::path>& folders,
                      const ReservedNames& reserved) {
  Catalog catalog;
  const auto attempt = [&catalog](const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      catalog.problems_.emplace_back(error.what());
    }
  };
  for (const std::filesystem::path& folder : folders) {
    // A folder that is named twice would refuse its own files as duplicates.
    const bool again = std::ranges::any_of(catalog.folders_, [&folder](const auto& known) {
      std::error_code missing;
      return known == folder || std::filesystem::equivalent(known, folder, missing);
    });
    if (again) continue;
    catalog.folders_.push_back(folder);
    attempt([&] {
      for (const std::filesystem::path& file : plugin_files(folder))
        attempt([&] { catalog.add_file(file, reserved); });
    });
  }
  return catalog;
}

void Catalog::add_file(const std::filesystem::path& file, const ReservedNames& reserved) {
  std::vector<ComponentInfo> added = read_manifest(file, ManifestUse::Load, reserved);
  for (const ComponentInfo& info : added) {
    if (const ComponentInfo* known = find(info.kind, info.id))
      throw PluginError(file.string() + ": holds " + kind_name(info.kind) + " \"" + info.id +
                        "\", which " + known->file.string() +
                        " already holds; remove one of the two files, or rename the component");
  }
  std::ranges::move(added, std::back_inserter(components_));
  std::ranges::sort(components_, {}, key_of);
}

const ComponentInfo* Catalog::find(retort_kind kind, std::string_view id) const {
  const std::tuple<retort_kind, std::string_view> key(kind, id);
  const auto found = std::ranges::lower_bound(components_, key, {}, key_of);
  return found != components_.end() && key_of(*found) == key ? &*found : nullptr;
}

std::vector<std::filesystem::path> plugin_search_path() {
  std::vector<std::filesystem::path> folders;
  if (const char* listed = std::getenv("RETORT_PLUGIN_PATH")) {
    const std::string_view text = listed;
    for (size_t at = 0; at <= text.size();) {
      const size_t end = std::min(text.find(':', at), text.size());
      if (end > at) folders.emplace_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  folders.push_back((program.parent_path().parent_path() / "plugins").lexically_normal());
  return folders;
}

}  // namespace retort::host
