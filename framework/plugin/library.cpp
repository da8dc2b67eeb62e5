#include "framework/plugin/library.hpp"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "framework/base/error.hpp"
#include "framework/base/failure.hpp"
#include "framework/guard/plugin_code.hpp"
#include "framework/plugin/call_plugin.hpp"
#include "framework/plugin/elf_file.hpp"
#include "framework/plugin/trial_load.hpp"

namespace retort::host {
namespace {

const char* or_null(const char* text) { return text == nullptr ? "(null)" : text; }

/// Walks the table by its stride: a newer plugin's entries are longer.
const retort_component& entry(const retort_plugin& table, uint32_t position) {
  const auto* first = reinterpret_cast<const char*>(table.components);
  return *reinterpret_cast<const retort_component*>(first +
                                                    size_t{table.component_stride} * position);
}

}  // namespace

boost::dll::load_mode::type plugin_load_mode() {
  return static_cast<boost::dll::load_mode::type>(
      boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local | RTLD_NODELETE);
}

std::shared_ptr<Library> Library::open(const std::filesystem::path& file, const retort_host* host) {
  static std::mutex mutex;
  static std::map<std::filesystem::path, std::shared_ptr<Library>> opened;
  const std::lock_guard lock(mutex);
  std::error_code missing;  // read_manifest has the better message
  const std::filesystem::path key = std::filesystem::weakly_canonical(file, missing);
  std::shared_ptr<Library>& library = opened[key];
  if (!library) {
    std::shared_ptr<Library> fresh(new Library(file));
    fresh->check_table();
    fresh->attach(host);
    library = std::move(fresh);
  }
  return library;
}

Library::Library(const std::filesystem::path& file)
    : path_(file), components_(read_manifest(file)) {
  trial_load(file);
  try {
    const PluginEntry entry(
        {.plugin = &plugin_name(components_.front()), .function = "its static constructors"},
        Watch::Process);
    const boost::dll::shared_library loaded(std::filesystem::absolute(file), plugin_load_mode());
    table_ = &loaded.get<const retort_plugin>(RETORT_ENTRY_SYMBOL);
    note_plugin_code(table_, file);
  } catch (...) {
    throw PluginError(file.string() + ": cannot be loaded (" + shown(current_failure().text, 500) +
                      "), though a trial in a child process went well; try again");
  }
}

void Library::refuse(const std::string& reason) const {
  throw PluginError(path_.string() + ": " + reason + "; rebuild it with this host's SDK");
}

void Library::check_table() const {
  const std::string name = RETORT_ENTRY_SYMBOL;
  if (table_->struct_size < sizeof(retort_plugin))
    refuse(name + ".struct_size is " + std::to_string(table_->struct_size) + ", at least " +
           std::to_string(sizeof(retort_plugin)) + " is wanted");
  if (!abi_fits(table_->abi_major, table_->abi_minor))
    throw PluginError(path_.string() + ": " + abi_mismatch(table_->abi_major, table_->abi_minor));
  if (table_->component_count != components_.size())
    refuse(name + " has " + std::to_string(table_->component_count) +
           " components, its manifest has " + std::to_string(components_.size()));
  if (table_->component_stride < sizeof(retort_component))
    refuse(name + ".component_stride is " + std::to_string(table_->component_stride) +
           ", at least " + std::to_string(sizeof(retort_component)) + " is wanted");
  if (table_->components == nullptr || table_->attach == nullptr)
    refuse(name + " has a null pointer for its components or for attach()");
  for (const ComponentInfo& info : components_) {
    const retort_component& found = entry(*table_, info.position);
    const std::string where = name + ".components[" + std::to_string(info.position) + "]";
    if (found.struct_size < sizeof(retort_component))
      refuse(where + ".struct_size is " + std::to_string(found.struct_size) + ", at least " +
             std::to_string(sizeof(retort_component)) + " is wanted");
    if (found.kind != static_cast<uint32_t>(info.kind) || or_null(found.id) != info.id)
      refuse(where + " is \"" + shown(or_null(found.id)) + "\" of kind " +
             std::to_string(found.kind) + ", its manifest says \"" + info.id + "\" of kind " +
             std::to_string(info.kind));
    if (found.create == nullptr || found.destroy == nullptr || found.set_option == nullptr ||
        found.find_interface == nullptr)
      refuse(where + " (" + info.id + ") has a null function pointer");
  }
}

void Library::attach(const retort_host* host) const {
  retort_error error = {};
  error.struct_size = sizeof error;
  int32_t code = RETORT_OK;
  try {
    const PluginEntry entry({.plugin = &plugin_name(components_.front()), .function = "attach()"},
                            Watch::Process);
    code = table_->attach(host, &error);
  } catch (...) {
    throw_plugin_exception({components_.front(), "attach()"});
  }
  if (code != RETORT_OK)
    refuse("refused this host in attach() (" +
           shown({error.message, ::strnlen(error.message, sizeof error.message)},
                 sizeof error.message) +
           ")");
}

const retort_component& Library::component(uint32_t position) const {
  if (position >= components_.size())
    throw PluginError(path_.string() + ": component " + std::to_string(position) +
                      " was asked for, it has " + std::to_string(components_.size()));
  return entry(*table_, position);
}

}  // namespace retort::host
