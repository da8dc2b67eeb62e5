#include "framework/plugin/catalog.hpp"

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "framework/base/error.hpp"
#include "framework/plugin/built_in.hpp"

namespace retort::host {
namespace {

auto key_of(const ComponentInfo& info) {
  return std::tuple<retort_kind, std::string_view>(info.kind, info.id);
}

/// The folders that RETORT_PLUGIN_PATH lists.
std::vector<std::filesystem::path> listed_folders() {
  std::vector<std::filesystem::path> folders;
  const char* listed = std::getenv("RETORT_PLUGIN_PATH");
  const std::string_view text = listed == nullptr ? "" : listed;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(':', at), text.size());
    if (end > at) folders.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return folders;
}

/// The folder beside that of the program.
std::filesystem::path own_folder() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  return (program.parent_path().parent_path() / "plugins").lexically_normal();
}

/// Why a folder cannot be searched and what to do, by what named it.
std::string why_not_searched(const std::filesystem::path& folder, const std::error_code& error) {
  std::error_code unknown;
  const bool listed = std::ranges::count(listed_folders(), folder) > 0;
  const std::string named_by = listed ? "RETORT_PLUGIN_PATH" : "--plugins";
  if (std::filesystem::is_regular_file(folder, unknown)) {
    const std::filesystem::path parent = folder.parent_path();
    return "is a file; in " + named_by + " name its folder, " +
           (parent.empty() ? "." : parent.string());
  }
  const std::string reason = "cannot be searched for plugins (" + error.message() + "); ";
  if (!listed && folder == own_folder())
    return reason + "the program's own plugins belong there: build or install it anew";
  const bool missing = error == std::errc::no_such_file_or_directory;
  return reason + "check " + named_by + (missing ? "" : " and the folder's permissions");
}

/// The plugin files of a folder in name order.
std::vector<std::filesystem::path> plugin_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".retort") files.push_back(entry->path());
  if (error) throw PluginError(folder.string() + ": " + why_not_searched(folder, error));
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

void Catalog::add_built_in() {
  for (ComponentInfo& own : make_built_in_components()) {
    if (const ComponentInfo* other = find(own.kind, own.id)) {
      problems_.push_back(other->file.string() + ": holds " + kind_name(own.kind) + " \"" + own.id +
                          "\", which is the host's own; rename the component");
      std::erase_if(components_,
                    [&](const ComponentInfo& info) { return key_of(info) == key_of(own); });
    }
    components_.push_back(std::move(own));
  }
  std::ranges::sort(components_, {}, key_of);
}

const ComponentInfo* Catalog::find(retort_kind kind, std::string_view id) const {
  const std::tuple<retort_kind, std::string_view> key(kind, id);
  const auto found = std::ranges::lower_bound(components_, key, {}, key_of);
  return found != components_.end() && key_of(*found) == key ? &*found : nullptr;
}

std::vector<std::filesystem::path> plugin_search_path() {
  std::vector<std::filesystem::path> folders = listed_folders();
  folders.push_back(own_folder());
  return folders;
}

}  // namespace retort::host
