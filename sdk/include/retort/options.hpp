#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "retort/abi.h"
#include "retort/namespace.hpp"

RETORT_BEGIN_NAMESPACE

namespace detail {

/// Copies a text into a fixed field of the manifest. Returns whether it fits with its end; one that
/// does not is cut, and RETORT_PLUGIN stops the compiler with a sentence.
template <size_t N>
[[nodiscard]] constexpr bool copy_text(char (&field)[N], std::string_view text) {
  for (size_t i = 0; i < text.size() && i + 1 < N; ++i) field[i] = text[i];
  return text.size() < N;
}

/// A field of the manifest as a text.
template <size_t N>
constexpr std::string_view view_text(const char (&field)[N]) {
  size_t length = 0;
  while (length < N && field[length] != '\0') ++length;
  return {field, length};
}

template <class T>
constexpr uint32_t option_type() {
  if constexpr (std::is_same_v<T, bool>) return RETORT_OPTION_BOOL;
  if constexpr (std::is_enum_v<T>) return RETORT_OPTION_CHOICE;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return RETORT_OPTION_INT;
  if constexpr (std::is_floating_point_v<T>) return RETORT_OPTION_REAL;
  if constexpr (std::is_same_v<T, std::string_view>) return RETORT_OPTION_TEXT;
  return 0;
}

}  // namespace detail

/// One option, declared next to the member it fills. The default is the member's own initial value,
/// and the type is the member's: double, int or int64_t, bool, std::string_view, or an enum class
/// whose values are named by one_of().
///   option("temperature", &Kd::Options::temperature).above(0).help("softens both distributions")
template <class Options, class T>
class Option {
 public:
  static_assert(detail::option_type<T>() != 0,
                "an option is a double, int, int64_t, bool, std::string_view or enum class");

  constexpr Option(std::string_view name, T Options::*member) : member_(member) {
    fits_ = detail::copy_text(record_.name, name);
    record_.type = detail::option_type<T>();
    const Options defaults{};
    const T& value = defaults.*member;
    if constexpr (std::is_same_v<T, std::string_view>) {
      fits_ = detail::copy_text(record_.default_text, value) && fits_;
    } else if constexpr (std::is_floating_point_v<T>) {
      record_.default_real = value;
    } else {
      record_.default_int = static_cast<int64_t>(value);
    }
  }

  /// The value must be >= min.
  constexpr Option at_least(double min) const { return with_min(min, 0); }
  /// The value must be > min.
  constexpr Option above(double min) const { return with_min(min, RETORT_OPTION_MIN_OPEN); }
  /// The value must be <= max.
  constexpr Option at_most(double max) const { return with_max(max, 0); }
  /// The value must be < max.
  constexpr Option below(double max) const { return with_max(max, RETORT_OPTION_MAX_OPEN); }
  /// Names the values of an enum class, in the order of their numbers from 0.
  template <class... Names>
  constexpr Option one_of(Names... names) const {
    static_assert(std::is_enum_v<T>, "one_of() names the values of an enum class");
    Option copy = *this;
    size_t at = 0;
    for (const std::string_view name : {std::string_view(names)...}) {
      if (at != 0) copy.append_choice(at, "|");
      copy.append_choice(at, name);
    }
    return copy;
  }
  /// The experiment must give a value.
  constexpr Option required() const {
    Option copy = *this;
    copy.record_.flags |= RETORT_OPTION_REQUIRED;
    return copy;
  }
  constexpr Option unit(std::string_view text) const {
    Option copy = *this;
    copy.fits_ = detail::copy_text(copy.record_.unit, text) && fits_;
    return copy;
  }
  constexpr Option help(std::string_view text) const {
    Option copy = *this;
    copy.fits_ = detail::copy_text(copy.record_.help, text) && fits_;
    return copy;
  }

  constexpr const retort_option_record& record() const { return record_; }
  /// Whether all texts fit into the manifest.
  constexpr bool fits() const { return fits_; }
  /// Fills the member. The host has checked type and range against the manifest.
  void set(Options& options, const retort_value& value) const {
    if constexpr (std::is_same_v<T, std::string_view>) {
      options.*member_ = std::string_view(value.as.text, static_cast<size_t>(value.count));
    } else if constexpr (std::is_floating_point_v<T>) {
      options.*member_ = static_cast<T>(value.as.real);
    } else {
      options.*member_ = static_cast<T>(value.as.integer);
    }
  }

 private:
  constexpr Option with_min(double min, uint32_t open) const {
    Option copy = *this;
    copy.record_.min = min;
    copy.record_.flags |= RETORT_OPTION_HAS_MIN | open;
    return copy;
  }
  constexpr Option with_max(double max, uint32_t open) const {
    Option copy = *this;
    copy.record_.max = max;
    copy.record_.flags |= RETORT_OPTION_HAS_MAX | open;
    return copy;
  }
  constexpr void append_choice(size_t& at, std::string_view text) {
    fits_ = fits_ && at + text.size() < sizeof(record_.choices);
    for (size_t i = 0; fits_ && i < text.size(); ++i) record_.choices[at++] = text[i];
  }

  T Options::*member_;
  retort_option_record record_{};
  bool fits_ = true;
};

namespace detail {
template <class T>
inline constexpr bool is_option = false;
template <class O, class T>
inline constexpr bool is_option<Option<O, T>> = true;
}  // namespace detail

template <class Options, class T>
constexpr Option<Options, T> option(std::string_view name, T Options::*member) {
  return Option<Options, T>(name, member);
}

RETORT_END_NAMESPACE
