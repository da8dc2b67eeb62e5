#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "retort/abi.h"
#include "retort/declaration.hpp"
#include "retort/error.hpp"
#include "retort/options.hpp"

// How a plugin file declares what it holds. RETORT_PLUGIN turns the declarations into the two
// things a host looks for: the manifest in section ".retort", complete at compile time, and the
// symbol retort_plugin_v1.

RETORT_BEGIN_NAMESPACE

/// What a strategy reads from a step.
enum class Need : uint32_t {
  Logits = RETORT_NEED_LOGITS,
  Features = RETORT_NEED_FEATURES,
  Labels = RETORT_NEED_LABELS,
  Indices = RETORT_NEED_INDICES,
};
inline constexpr Need Logits = Need::Logits;
inline constexpr Need Features = Need::Features;
inline constexpr Need Labels = Need::Labels;
inline constexpr Need Indices = Need::Indices;

namespace detail {

struct NeedsTrait {
  uint32_t needs;
  constexpr bool apply(retort_component_record& record) const {
    record.needs |= needs;
    return true;
  }
};
struct BindsTrait {
  std::string_view student;
  std::string_view teacher;
  constexpr bool apply(retort_component_record& record) const {
    record.needs |= RETORT_NEED_FEATURES;
    const bool fits = copy_text(record.bind_student, student);
    return copy_text(record.bind_teacher, teacher) && fits;
  }
};
struct BatchTrait {
  int64_t min;
  int64_t multiple_of;
  constexpr bool apply(retort_component_record& record) const {
    record.batch_min = min;
    record.batch_multiple_of = multiple_of;
    return true;
  }
};
struct LicenceTrait {
  std::string_view text;
  constexpr bool apply(retort_component_record& record) const {
    return copy_text(record.licence, text);
  }
};
struct PaperTrait {
  std::string_view text;
  constexpr bool apply(retort_component_record& record) const {
    return copy_text(record.paper, text);
  }
};
struct VerifiedTrait {
  std::string_view text;
  constexpr bool apply(retort_component_record& record) const {
    return copy_text(record.verified, text);
  }
};
struct UsesTrait {
  retort_use_record record;
  bool fits;
  constexpr bool apply(retort_component_record& component) const {
    ++component.use_count;
    return fits;
  }
};

template <class T>
inline constexpr bool is_use = std::is_same_v<T, UsesTrait>;

/// One declared component: its manifest record, its options and its functions.
template <class T, class... Traits>
struct Component {
  using Class = T;
  static constexpr size_t option_count = (size_t{0} + ... + (is_option<Traits> ? 1 : 0));
  static constexpr size_t use_count = (size_t{0} + ... + (is_use<Traits> ? 1 : 0));

  retort_component_record record{};
  const void* (*find_interface)(const char*) = nullptr;
  std::tuple<Traits...> traits;
  bool fits = true;  // all texts into the manifest
};

template <class T, class = void>
inline constexpr bool has_options = false;
template <class T>
inline constexpr bool has_options<T, std::void_t<typename T::Options, decltype(T::options)>> = true;

template <class T, class... Traits>
constexpr auto component(retort_kind kind, const void* (*find_interface)(const char*),
                         std::string_view id, std::string_view version, std::string_view summary,
                         const Traits&... traits) {
  static_assert(
      has_options<T>,
      "the class has no public member `options` of a struct `Options`; where it takes none: "
      "struct Options {} options;");
  Component<T, Traits...> made{{}, find_interface, std::tuple<Traits...>(traits...)};
  retort_component_record& record = made.record;
  record.kind = kind;
  record.batch_min = 1;
  record.batch_multiple_of = 1;
  made.fits = copy_text(record.id, id);
  made.fits = copy_text(record.version, version) && made.fits;
  made.fits = copy_text(record.summary, summary) && made.fits;
  [[maybe_unused]] const auto apply = [&made, &record](const auto& trait) {
    if constexpr (is_option<std::decay_t<decltype(trait)>>) {
      ++record.option_count;
      made.fits = trait.fits() && made.fits;
    } else {
      made.fits = trait.apply(record) && made.fits;
    }
  };
  (apply(traits), ...);
  return made;
}

// Base classes, so that a list without entries takes no room.
template <class Record, size_t N>
struct Records {
  Record at[N]{};
  constexpr void set(size_t i, const Record& record) { at[i] = record; }
};
template <class Record>
struct Records<Record, 0> {
  constexpr void set(size_t, const Record&) {}
};

template <size_t Components, size_t Options, size_t Uses>
struct Manifest : retort_manifest_header,
                  Records<retort_component_record, Components>,
                  Records<retort_option_record, Options>,
                  Records<retort_use_record, Uses> {};

/// What the compiler's checks look at.
template <size_t Components, size_t Options, size_t Uses>
constexpr Declared declared_in(const Manifest<Components, Options, Uses>& manifest) {
  const retort_option_record* options = nullptr;
  if constexpr (Options > 0) options = manifest.Records<retort_option_record, Options>::at;
  return {manifest.Records<retort_component_record, Components>::at, Components, options};
}

template <class... Components>
constexpr bool texts_fit(const std::tuple<Components...>& declared) {
  return std::apply([](const auto&... component) { return (true && ... && component.fits); },
                    declared);
}

template <class... Components>
constexpr auto manifest(const std::tuple<Components...>& declared) {
  constexpr size_t options = (size_t{0} + ... + Components::option_count);
  constexpr size_t uses = (size_t{0} + ... + Components::use_count);
  Manifest<sizeof...(Components), options, uses> made{};
  constexpr size_t size = sizeof(retort_manifest_header) +
                          sizeof...(Components) * sizeof(retort_component_record) +
                          options * sizeof(retort_option_record) + uses * sizeof(retort_use_record);
  static_assert(sizeof(made) == size,
                "the lists of the manifest must follow each other without gaps");
  for (size_t i = 0; i < sizeof(made.magic); ++i) made.magic[i] = RETORT_MANIFEST_MAGIC[i];
  made.struct_size = sizeof(retort_manifest_header);
  made.abi_major = RETORT_ABI_MAJOR;
  made.abi_minor = RETORT_ABI_MINOR;
  made.component_count = sizeof...(Components);
  made.component_stride = sizeof(retort_component_record);
  made.option_count = options;
  made.option_stride = sizeof(retort_option_record);
  made.use_count = uses;
  made.use_stride = sizeof(retort_use_record);
  made.total_size = size;

  uint32_t component = 0, option = 0, use = 0;
  [[maybe_unused]] const auto add_trait = [&](const auto& trait) {
    using Trait = std::decay_t<decltype(trait)>;
    if constexpr (is_option<Trait>) {
      made.Records<retort_option_record, options>::set(option++, trait.record());
    }
    if constexpr (is_use<Trait>) {
      made.Records<retort_use_record, uses>::set(use++, trait.record);
    }
  };
  const auto add = [&](const auto& declared_component) {
    retort_component_record record = declared_component.record;
    record.first_option = option;
    record.first_use = use;
    made.Records<retort_component_record, sizeof...(Components)>::set(component++, record);
    std::apply([&](const auto&... traits) { (add_trait(traits), ...); }, declared_component.traits);
  };
  std::apply([&](const auto&... components) { (add(components), ...); }, declared);
  return made;
}

/// The C functions of component I of the declaration.
template <const auto& declared, size_t I>
struct Functions {
  using Class = typename std::tuple_element_t<I, std::decay_t<decltype(declared)>>::Class;

  static int32_t create(void** self, retort_error* error) {
    return guarded(error, [&] { *self = new Class(); });
  }
  static void destroy(void* self) { delete static_cast<Class*>(self); }
  static int32_t set_option(void* self, uint32_t index, const retort_value* value,
                            retort_error* error) {
    return guarded(error, [&] {
      auto& options = static_cast<Class*>(self)->options;
      uint32_t at = 0;
      bool found = false;
      [[maybe_unused]] const auto visit = [&](const auto& trait) {
        if constexpr (is_option<std::decay_t<decltype(trait)>>) {
          if (at++ == index) {
            trait.set(options, *value);
            found = true;
          }
        }
      };
      std::apply([&](const auto&... traits) { (visit(traits), ...); },
                 std::get<I>(declared).traits);
      if (!found) throw ConfigError(message("there is no option number ", index));
    });
  }
  static constexpr retort_component table() {
    const auto& component = std::get<I>(declared);
    return {sizeof(retort_component),
            component.record.kind,
            component.record.id,
            create,
            destroy,
            set_option,
            component.find_interface};
  }
};

template <const auto& declared,
          class Indices =
              std::make_index_sequence<std::tuple_size_v<std::decay_t<decltype(declared)>>>>
struct Entry;
template <const auto& declared, size_t... I>
struct Entry<declared, std::index_sequence<I...>> {
  static constexpr retort_component components[] = {Functions<declared, I>::table()...};

  static int32_t attach(const retort_host* host, retort_error* error) {
    if (host->struct_size < sizeof(retort_host) || host->abi_major != RETORT_ABI_MAJOR ||
        (RETORT_ABI_MAJOR == 0 ? host->abi_minor != RETORT_ABI_MINOR
                               : host->abi_minor < RETORT_ABI_MINOR)) {
      fill(error, RETORT_BAD_ARGUMENT, "the host's table is older than this plugin's SDK");
      return RETORT_BAD_ARGUMENT;
    }
    attached_host = host;
    return RETORT_OK;
  }
  static constexpr retort_plugin table() {
    return {sizeof(retort_plugin),
            RETORT_ABI_MAJOR,
            RETORT_ABI_MINOR,
            sizeof...(I),
            sizeof(retort_component),
            0,
            components,
            attach};
  }
};

}  // namespace detail

/// What the strategy reads: a host hands over nothing else, in training and in a probe. Labels
/// stands for those of a step and for those of the set-up. A strategy without needs() and binds()
/// gets the logits; shapes and counts are told to all.
template <class... Needs>
constexpr auto needs(Needs... list) {
  return detail::NeedsTrait{(0u | ... | static_cast<uint32_t>(list))};
}
/// The taps that are bound unless the experiment says otherwise, several separated by commas;
/// implies Features.
constexpr auto binds(std::string_view student, std::string_view teacher) {
  return detail::BindsTrait{student, teacher};
}
constexpr auto binds(std::string_view both) { return detail::BindsTrait{both, both}; }
/// The batches it can work on.
constexpr auto batch(int64_t min, int64_t multiple_of = 1) {
  return detail::BatchTrait{min, multiple_of};
}
/// It waits for the device in loss(): SVD, solve, item().
constexpr auto syncs() { return detail::NeedsTrait{RETORT_NEED_SYNC}; }
/// It needs no teacher: an experiment may leave [teacher] out, and where there is one it is not handed
/// over. The teacher's logits are undefined then, its features none.
constexpr auto teacher_free() { return detail::NeedsTrait{RETORT_NEED_NO_TEACHER}; }
/// An operator beyond ops.hpp; the host resolves it before training.
constexpr auto uses(std::string_view name, std::string_view overload = "") {
  detail::UsesTrait trait{};
  trait.fits = detail::copy_text(trait.record.name, name);
  trait.fits = detail::copy_text(trait.record.overload, overload) && trait.fits;
  return trait;
}
/// Where the method or the architecture was published: "Hinton et al. 2015, arXiv:1503.02531".
constexpr auto paper(std::string_view text) { return detail::PaperTrait{text}; }
/// Whose code gave the values that its tests compare with: "RepDistiller, mdistiller".
constexpr auto verified(std::string_view text) { return detail::VerifiedTrait{text}; }
/// An SPDX licence name.
constexpr auto licence(std::string_view text) { return detail::LicenceTrait{text}; }

RETORT_END_NAMESPACE

/// Declares what this file holds: RETORT_PLUGIN(strategy<A>("logits.a", ...), strategy<B>(...)).
/// Once per plugin.
#define RETORT_PLUGIN(...)                                                                      \
  namespace {                                                                                   \
  constexpr auto retort_declared = std::tuple{__VA_ARGS__};                                     \
  }                                                                                             \
  extern "C" {                                                                                  \
  __attribute__((section(RETORT_MANIFEST_SECTION), used,                                        \
                 retain)) static constexpr auto retort_manifest =                               \
      ::retort::detail::manifest(retort_declared);                                              \
  __attribute__((visibility("default"))) extern const retort_plugin retort_plugin_v1;           \
  const retort_plugin retort_plugin_v1 = ::retort::detail::Entry<retort_declared>::table();     \
  }                                                                                             \
  static_assert(::retort::detail::texts_fit(retort_declared),                                   \
                "a text of the declaration is too long for its field of the manifest: the "     \
                "longest are id 55 bytes, version 23, summary 159, licence 31, paper and "      \
                "verified 95, taps 63; the fields of an option and of uses() stand in "         \
                "retort/abi.h");                                                                \
  RETORT_CHECK_DECLARED(ids_are_names,                                                          \
                        "an id is made of a-z, 0-9, '_' and '.', as in \"logits.my_method\"")   \
  RETORT_CHECK_DECLARED(ids_differ, "two components of one kind have the same id")              \
  RETORT_CHECK_DECLARED(options_have_names, "an option's name is made of a-z, 0-9 and '_'")     \
  RETORT_CHECK_DECLARED(option_names_differ, "two options of one component have the same name") \
  RETORT_CHECK_DECLARED(option_names_are_free,                                                  \
                        "an option has the name of a key that the host reads itself in the "    \
                        "same table of the experiment, such as name, weight or bind; choose "   \
                        "another name")                                                         \
  RETORT_CHECK_DECLARED(options_have_ranges,                                                    \
                        "the range of an option holds nothing: its lower bound is above its "   \
                        "upper one, or one of them is not finite")                              \
  RETORT_CHECK_DECLARED(options_have_choices,                                                   \
                        "an option of an enum class needs the names of its values, different "  \
                        "ones, and none with '|': .one_of(\"first\", \"second\")")              \
  RETORT_CHECK_DECLARED(options_have_defaults,                                                  \
                        "an option's default, the initial value of its member, is outside of "  \
                        "the option's own range or choices; correct one of them, or mark the "  \
                        "option required()")

#define RETORT_CHECK_DECLARED(check, sentence) \
  static_assert(::retort::detail::check(::retort::detail::declared_in(retort_manifest)), sentence);
