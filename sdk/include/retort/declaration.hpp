#pragma once

#include <string_view>

#include "retort/abi.h"
#include "retort/options.hpp"

// What the compiler checks of a RETORT_PLUGIN declaration: all that would make a host refuse the file
// for its manifest. The sentences stand in RETORT_PLUGIN.

RETORT_BEGIN_NAMESPACE

namespace detail {

/// Keys of the experiment file that a host reads beside a component's options; no option may have
/// such a name. A host's own list decides; a test compares the two.
constexpr bool is_reserved(uint32_t kind, std::string_view name) {
  constexpr std::string_view strategy[] = {"strategy", "name",    "weight", "bind",
                                           "student",  "teacher", "view",   "host"};
  constexpr std::string_view model[] = {"model", "name", "weights", "rename", "train",  "normalize",
                                        "views", "mode", "host",    "file",   "logits", "start"};
  constexpr std::string_view dataset[] = {"dataset",       "batch_size", "augment", "normalize",
                                          "train_samples", "validation", "mixup",   "cutmix",
                                          "views",         "host"};
  const auto holds = [name](const auto& keys) {
    for (const std::string_view key : keys) {
      if (key == name) return true;
    }
    return false;
  };
  return kind == RETORT_KIND_STRATEGY ? holds(strategy)
         : kind == RETORT_KIND_MODEL  ? holds(model)
                                      : holds(dataset);
}

/// Whether a text is not empty and made of a-z, 0-9, '_' and `also`.
constexpr bool is_name(std::string_view text, char also) {
  for (const char c : text) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == also)) return false;
  }
  return !text.empty();
}

constexpr bool is_finite(double value) {
  return value >= -1.7976931348623157e308 && value <= 1.7976931348623157e308;
}

constexpr bool has_range(const retort_option_record& option) {
  const bool has_min = (option.flags & RETORT_OPTION_HAS_MIN) != 0;
  const bool has_max = (option.flags & RETORT_OPTION_HAS_MAX) != 0;
  return (!has_min || is_finite(option.min)) && (!has_max || is_finite(option.max)) &&
         !(has_min && has_max && option.min > option.max);
}

/// How many names `choices` holds, separated by '|'; -1 where one is empty or there twice.
constexpr int64_t count_choices(std::string_view choices) {
  int64_t count = 0;
  for (size_t begin = 0; begin <= choices.size();) {
    size_t end = choices.find('|', begin);
    if (end == std::string_view::npos) end = choices.size();
    const std::string_view name = choices.substr(begin, end - begin);
    if (name.empty()) return -1;
    for (size_t at = end + 1; at < choices.size();) {
      size_t other_end = choices.find('|', at);
      if (other_end == std::string_view::npos) other_end = choices.size();
      if (choices.substr(at, other_end - at) == name) return -1;
      at = other_end + 1;
    }
    ++count;
    begin = end + 1;
  }
  return count;
}

constexpr bool has_default(const retort_option_record& option) {
  if ((option.flags & RETORT_OPTION_REQUIRED) != 0 || option.type == RETORT_OPTION_TEXT ||
      option.type == RETORT_OPTION_BOOL) {
    return true;
  }
  if (option.type == RETORT_OPTION_CHOICE) {
    return option.default_int >= 0 && option.default_int < count_choices(view_text(option.choices));
  }
  const double value = option.type == RETORT_OPTION_REAL ? option.default_real
                                                         : static_cast<double>(option.default_int);
  const bool above = (option.flags & RETORT_OPTION_HAS_MIN) == 0 || value > option.min ||
                     (value == option.min && (option.flags & RETORT_OPTION_MIN_OPEN) == 0);
  const bool below = (option.flags & RETORT_OPTION_HAS_MAX) == 0 || value < option.max ||
                     (value == option.max && (option.flags & RETORT_OPTION_MAX_OPEN) == 0);
  return is_finite(value) && above && below;
}

/// The records of a manifest, of whatever numbers. Plain arrays: templates over the declared tuple
/// take the compiler several times as long.
struct Declared {
  const retort_component_record* components;
  size_t component_count;
  const retort_option_record* options;

  template <class Holds>
  constexpr bool all_options(Holds holds) const {
    for (size_t i = 0; i < component_count; ++i) {
      const retort_component_record& owner = components[i];
      for (uint32_t j = 0; j < owner.option_count; ++j) {
        if (!holds(owner, options[owner.first_option + j])) return false;
      }
    }
    return true;
  }
};

constexpr bool ids_are_names(const Declared& declared) {
  for (size_t i = 0; i < declared.component_count; ++i) {
    if (!is_name(view_text(declared.components[i].id), '.')) return false;
  }
  return true;
}

constexpr bool ids_differ(const Declared& declared) {
  for (size_t i = 0; i < declared.component_count; ++i) {
    for (size_t j = 0; j < i; ++j) {
      const retort_component_record &one = declared.components[i], &other = declared.components[j];
      if (one.kind == other.kind && view_text(one.id) == view_text(other.id)) return false;
    }
  }
  return true;
}

constexpr bool options_have_names(const Declared& declared) {
  return declared.all_options([](const auto&, const retort_option_record& option) {
    return is_name(view_text(option.name), '_');
  });
}

constexpr bool option_names_differ(const Declared& declared) {
  return declared.all_options([&](const auto& owner, const retort_option_record& option) {
    const retort_option_record* other = declared.options + owner.first_option;
    for (; other != &option; ++other) {
      if (view_text(other->name) == view_text(option.name)) return false;
    }
    return true;
  });
}

constexpr bool option_names_are_free(const Declared& declared) {
  return declared.all_options([](const auto& owner, const retort_option_record& option) {
    return !is_reserved(owner.kind, view_text(option.name));
  });
}

constexpr bool options_have_ranges(const Declared& declared) {
  return declared.all_options(
      [](const auto&, const retort_option_record& option) { return has_range(option); });
}

constexpr bool options_have_choices(const Declared& declared) {
  return declared.all_options([](const auto&, const retort_option_record& option) {
    return option.type != RETORT_OPTION_CHOICE || count_choices(view_text(option.choices)) > 0;
  });
}

constexpr bool options_have_defaults(const Declared& declared) {
  return declared.all_options(
      [](const auto&, const retort_option_record& option) { return has_default(option); });
}

}  // namespace detail

RETORT_END_NAMESPACE
