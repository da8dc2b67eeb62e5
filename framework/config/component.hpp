#pragma once

#include <string>

#include "framework/config/section.hpp"
#include "framework/plugin/catalog.hpp"

namespace retort::host::config {

/// Reads the key that names a component ("model", "strategy", "dataset") and looks it up. Returns
/// whether it is known.
bool read_component(Section& section, const std::string& key, retort_kind kind,
                    const Catalog& catalog, ComponentChoice& choice);

/// Reads the component's options from the section, by its schema; call it after the host's own keys
/// were read.
void read_options(Section& section, ComponentChoice& choice);

/// The numbers that an option accepts.
Range range_of(const OptionInfo& option);

/// What an option is without being told otherwise.
OptionValue default_of(const OptionInfo& option);

/// An option's value as TOML writes it.
std::string toml_of(const OptionInfo& option, const OptionValue& value);

}  // namespace retort::host::config
