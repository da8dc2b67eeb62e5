#include "framework/guard/plugin_code.hpp"

#include <link.h>

#include <algorithm>
#include <atomic>
#include <memory>

namespace retort::host {
namespace {

std::atomic<const PluginCode*> all_code = nullptr;

using Ranges = std::vector<std::pair<uintptr_t, uintptr_t>>;

struct Search {
  uintptr_t address;
  Ranges ranges;
};

bool holds(const Ranges& ranges, uintptr_t address) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
    return range.first <= address && address < range.second;
  });
}

/// Takes the loaded parts of an object that holds the address, and then ends the walk.
int look_at(dl_phdr_info* object, size_t, void* data) {
  auto* search = static_cast<Search*>(data);
  Ranges ranges;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    const uintptr_t first = object->dlpi_addr + part.p_vaddr;
    ranges.emplace_back(first, first + part.p_memsz);
  }
  if (!holds(ranges, search->address)) return 0;
  search->ranges = std::move(ranges);
  return 1;
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool was_changed(const PluginCode& code) {
  struct stat now = {};
  return stat(code.path.c_str(), &now) == 0 && now.st_dev == code.facts.st_dev &&
         now.st_ino == code.facts.st_ino &&
         (now.st_size != code.facts.st_size || !same_time(now.st_mtim, code.facts.st_mtim));
}

}  // namespace

void note_plugin_code(const void* address, const std::filesystem::path& file) {
  Search search = {reinterpret_cast<uintptr_t>(address), {}};
  dl_iterate_phdr(look_at, &search);
  auto code = std::make_unique<PluginCode>();
  code->name = make_safe(file.string());
  code->path = std::filesystem::absolute(file).string();
  code->ranges = std::move(search.ranges);
  if (stat(code->path.c_str(), &code->facts) != 0) code->facts = {};
  PluginCode* made = code.release();  // never destroyed: a signal handler may read it
  made->next = all_code;
  while (!all_code.compare_exchange_weak(made->next, made)) {
  }
}

const PluginCode* plugin_code_at(uintptr_t address) {
  for (const PluginCode* code = all_code; code != nullptr; code = code->next)
    if (holds(code->ranges, address)) return code;
  return nullptr;
}

const PluginCode* changed_plugin_code() {
  for (const PluginCode* code = all_code; code != nullptr; code = code->next)
    if (was_changed(*code)) return code;
  return nullptr;
}

}  // namespace retort::host
