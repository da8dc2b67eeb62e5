#include "framework/config/arguments.hpp"

#include "framework/config/component.hpp"
#include "framework/config/overrides.hpp"

namespace retort::host::config {

ComponentChoice choose_component(const ComponentInfo& info,
                                 const std::vector<std::string>& arguments,
                                 const std::function<void(Section&)>& read_host_keys) {
  Diagnostics diagnostics;
  Node tree;
  for (const std::string& argument : arguments) apply_override(tree, argument, diagnostics);
  Section section(&tree, "", Place{"command line", 0, 0}, diagnostics);
  read_host_keys(section);
  ComponentChoice choice;
  choice.info = info;
  read_options(section, choice);
  section.finish();
  diagnostics.throw_if_any();
  return choice;
}

}  // namespace retort::host::config
