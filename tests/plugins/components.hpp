#pragma once

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>

#include "framework/config/experiment.hpp"
#include "framework/plugin/catalog.hpp"

namespace retort::test {

/// Options that differ from their defaults.
using Options = std::map<std::string, host::OptionValue>;

/// The components of the plugins that this build made.
inline const host::Catalog& built_plugins() {
  static const host::Catalog catalog = host::Catalog::scan({RETORT_PLUGIN_DIR});
  return catalog;
}

inline host::OptionValue default_value(const host::OptionInfo& option) {
  if (option.type == RETORT_OPTION_REAL) return option.default_real;
  if (option.type == RETORT_OPTION_BOOL) return option.default_int != 0;
  if (option.type == RETORT_OPTION_TEXT) return option.default_text;
  return option.default_int;
}

/// A component of a plugin with its options set, as the experiment file would pick it.
inline host::ComponentChoice choose_from(const host::Catalog& catalog, retort_kind kind,
                                         const std::string& id, const Options& options = {}) {
  const host::ComponentInfo* info = catalog.find(kind, id);
  if (info == nullptr) throw std::logic_error(id + " is in none of these plugins");
  host::ComponentChoice choice;
  choice.info = *info;
  size_t used = 0;
  for (const host::OptionInfo& option : info->options) {
    const auto given = options.find(option.name);
    used += given == options.end() ? 0 : 1;
    choice.options.push_back(given == options.end() ? default_value(option) : given->second);
  }
  if (used != options.size()) throw std::logic_error(id + " lacks an option that the test sets");
  return choice;
}

/// The same of a built plugin.
inline host::ComponentChoice choose(retort_kind kind, const std::string& id,
                                    const Options& options = {}) {
  return choose_from(built_plugins(), kind, id, options);
}

}  // namespace retort::test
