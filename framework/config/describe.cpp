#include "framework/config/describe.hpp"

#include "framework/config/component.hpp"

namespace retort::host {

std::string describe(const ComponentChoice& choice) {
  std::string text = choice.info.id;
  for (size_t i = 0; i < choice.options.size(); ++i) {
    const OptionInfo& option = choice.info.options[i];
    if (choice.options[i] == config::default_of(option)) continue;
    const std::string value = config::toml_of(option, choice.options[i]);
    const bool choice_name = option.type == RETORT_OPTION_CHOICE;
    text += " " + option.name + "=" + (choice_name ? value.substr(1, value.size() - 2) : value);
  }
  return text;
}

}  // namespace retort::host
