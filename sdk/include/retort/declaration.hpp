#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>

#include "retort/abi.h"
#include "retort/options.hpp"

// What the compiler checks of a RETORT_PLUGIN declaration, each with a sentence: all that would make
// a host refuse the file for its manifest.

RETORT_BEGIN_NAMESPACE

namespace detail {

/// Keys of the experiment file that a host reads beside a component's options; no option may have
/// such a name. A host's own list decides; a test compares the two.
constexpr bool is_reserved(uint32_t kind, std::string_view name) {
  constexpr std::string_view strategy[] = {"strategy", "name",    "weight", "bind",
                                           "init",     "teacher", "host"};
  constexpr std::string_view model[] = {"model", "name",      "weights", "rename",
                                        "train", "normalize", "mode",    "host"};
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

constexpr bool has_range(uint32_t, const retort_option_record& option) {
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

constexpr bool has_default(uint32_t, const retort_option_record& option) {
  if ((option.flags & RETORT_OPTION_REQUIRED) != 0 || option.type == RETORT_OPTION_TEXT ||
      option.type == RETORT_OPTION_BOOL) {
    return true;
  }
  if (option.type == RETORT_OPTION_CHOICE) {
    return option.default_int >= 0 && option.default_int < count_choices(text_of(option.choices));
  }
  const double value = option.type == RETORT_OPTION_REAL ? option.default_real
                                                         : static_cast<double>(option.default_int);
  const bool above = (option.flags & RETORT_OPTION_HAS_MIN) == 0 || value > option.min ||
                     (value == option.min && (option.flags & RETORT_OPTION_MIN_OPEN) == 0);
  const bool below = (option.flags & RETORT_OPTION_HAS_MAX) == 0 || value < option.max ||
                     (value == option.max && (option.flags & RETORT_OPTION_MAX_OPEN) == 0);
  return is_finite(value) && above && below;
}

/// Whether `holds(record of the option, number of it)` for all options of a component.
template <class Component, class Holds>
constexpr bool all_options(const Component& component, Holds holds) {
  size_t number = 0;
  [[maybe_unused]] const auto visit = [&](const auto& trait) {
    if constexpr (is_option<std::decay_t<decltype(trait)>>) return holds(trait.record(), number++);
    return true;
  };
  return std::apply([&](const auto&... traits) { return (true && ... && visit(traits)); },
                    component.traits);
}

/// Whether it holds for the options of all declared components.
template <class Declared, class Holds>
constexpr bool all_declared_options(const Declared& declared, Holds holds) {
  const auto of_one = [&](const auto& component) {
    return all_options(component, [&](const retort_option_record& option, size_t) {
      return holds(component.record.kind, option);
    });
  };
  return std::apply([&](const auto&... components) { return (true && ... && of_one(components)); },
                    declared);
}

template <class Declared>
constexpr bool texts_fit(const Declared& declared) {
  return std::apply([](const auto&... component) { return (true && ... && component.fits); },
                    declared);
}

template <class Declared>
constexpr bool ids_are_names(const Declared& declared) {
  return std::apply(
      [](const auto&... component) {
        return (true && ... && is_name(text_of(component.record.id), '.'));
      },
      declared);
}

template <class Declared>
constexpr bool ids_differ(const Declared& declared) {
  const auto count_like = [&](const retort_component_record& one) {
    return std::apply(
        [&](const auto&... component) {
          return (
              0 + ... +
              (component.record.kind == one.kind && text_of(component.record.id) == text_of(one.id)
                   ? 1
                   : 0));
        },
        declared);
  };
  return std::apply(
      [&](const auto&... component) {
        return (true && ... && (count_like(component.record) == 1));
      },
      declared);
}

template <class Declared>
constexpr bool option_names_differ(const Declared& declared) {
  const auto differ = [](const auto& component) {
    return all_options(component, [&](const retort_option_record& one, size_t i) {
      return all_options(component, [&](const retort_option_record& other, size_t j) {
        return i == j || text_of(one.name) != text_of(other.name);
      });
    });
  };
  return std::apply([&](const auto&... component) { return (true && ... && differ(component)); },
                    declared);
}

// One property of an option each, for all_declared_options().
constexpr bool has_name(uint32_t, const retort_option_record& option) {
  return is_name(text_of(option.name), '_');
}
constexpr bool has_free_name(uint32_t kind, const retort_option_record& option) {
  return !is_reserved(kind, text_of(option.name));
}
constexpr bool has_choices(uint32_t, const retort_option_record& option) {
  return option.type != RETORT_OPTION_CHOICE || count_choices(text_of(option.choices)) > 0;
}

/// The checks of RETORT_PLUGIN's declaration, where the compiler shows them.
template <const auto& declared>
struct CheckedDeclaration {
  static_assert(texts_fit(declared),
                "a text of the declaration is too long for its field of the manifest: the longest "
                "are id 55 bytes, version 23, summary 159, licence 31, paper and verified 95, taps "
                "63; the fields of an option and of uses() stand in retort/abi.h");
  static_assert(ids_are_names(declared),
                "an id is made of a-z, 0-9, '_' and '.', as in \"logits.my_method\"");
  static_assert(ids_differ(declared), "two components of one kind have the same id");
  static_assert(all_declared_options(declared, has_name),
                "an option's name is made of a-z, 0-9 and '_'");
  static_assert(option_names_differ(declared), "two options of one component have the same name");
  static_assert(all_declared_options(declared, has_free_name),
                "an option has the name of a key that the host reads itself in the same table of "
                "the experiment, such as name, weight or bind; choose another name");
  static_assert(all_declared_options(declared, has_range),
                "the range of an option holds nothing: its lower bound is above its upper one, or "
                "one of them is not finite");
  static_assert(
      all_declared_options(declared, has_choices),
      "an option of an enum class needs the names of its values, different ones, and none "
      "with '|': .one_of(\"first\", \"second\")");
  static_assert(all_declared_options(declared, has_default),
                "an option's default, the initial value of its member, is outside of the option's "
                "own range or choices; correct one of them, or mark the option required()");
  static constexpr bool passed = true;
};

}  // namespace detail

RETORT_END_NAMESPACE
