#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/section.hpp"

namespace retort::host::config {

/// A component with the options that the command line sets, as in an experiment file:
/// ["temperature=2", "mode=paper"]. `read_host_keys` takes the command's own keys. "option.NAME=VALUE"
/// always means the component's, and with the command's name, "probe.NAME=VALUE", always the command's;
/// a bare NAME that both have is a mistake.
/// Throws: ConfigError that lists every mistake with what is accepted.
ComponentChoice choose_component(const ComponentInfo& info, const std::string& command,
                                 const std::vector<std::string>& arguments,
                                 const std::function<void(Section&)>& read_host_keys);

}  // namespace retort::host::config
