#pragma once

#include <string>
#include <vector>

#include "framework/base/value.hpp"
#include "framework/config/place.hpp"
#include "framework/config/section.hpp"
#include "framework/plugin/catalog.hpp"

namespace retort::host {

/// A component picked by the experiment, with every option of its schema set, defaults included, in
/// schema order.
struct ComponentChoice {
  ComponentInfo info;
  std::vector<OptionValue> options;
  Place place;                            // of the value that names the component
  std::vector<Place> option_places = {};  // of each option: of its value, or `place`
};

/// "resnet depth=56 shortcut=A": a component and those of its options that differ from their
/// defaults.
std::string describe(const ComponentChoice& choice);

}  // namespace retort::host

namespace retort::host::config {

/// Reads the key that names a component ("model", "strategy", "dataset") and looks it up. Returns
/// whether it is known.
bool read_component(Section& section, const std::string& key, retort_kind kind,
                    const Catalog& catalog, ComponentChoice& choice);

/// Reads the component's options from the section, by its schema; call it after the host's own keys
/// were read.
void read_options(Section& section, ComponentChoice& choice);

/// The options as lines of a resolved experiment.
std::string write_options(const ComponentChoice& choice);

/// An option's value as TOML writes it.
std::string write_option(const OptionInfo& option, const OptionValue& value);

/// What an option is without being told otherwise.
OptionValue make_default(const OptionInfo& option);

/// The numbers that an option accepts.
Range make_range(const OptionInfo& option);

}  // namespace retort::host::config
