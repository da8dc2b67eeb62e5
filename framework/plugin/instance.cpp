#include "framework/plugin/instance.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

/// The value as the plugin gets it; nothing where it is not of the option's type.
std::optional<retort_value> as_argument(retort_option_type type, const OptionValue& option) {
  retort_value value = {};
  if (const double* real = std::get_if<double>(&option); real && type == RETORT_OPTION_REAL) {
    value.tag = RETORT_TAG_REAL;
    value.as.real = *real;
  } else if (const int64_t* integer = std::get_if<int64_t>(&option);
             integer && (type == RETORT_OPTION_INT || type == RETORT_OPTION_CHOICE)) {
    value.tag = RETORT_TAG_INT;
    value.as.integer = *integer;
  } else if (const bool* truth = std::get_if<bool>(&option); truth && type == RETORT_OPTION_BOOL) {
    value.tag = RETORT_TAG_BOOL;
    value.as.integer = *truth ? 1 : 0;
  } else if (const std::string* text = std::get_if<std::string>(&option);
             text && type == RETORT_OPTION_TEXT) {
    value.tag = RETORT_TAG_TEXT;
    value.count = static_cast<int64_t>(text->size());
    value.as.text = text->c_str();
  } else {
    return std::nullopt;
  }
  return value;
}

/// Refuses values that were read by another manifest than that of the code that is loaded: options
/// are set by their position.
void check_same_manifest(const Library& library, const ComponentInfo& info) {
  const std::vector<ComponentInfo>& loaded = library.components();
  const auto same = [](const OptionInfo& a, const OptionInfo& b) {
    return a.name == b.name && a.type == b.type && a.choices == b.choices;
  };
  if (info.position < loaded.size() && loaded[info.position].id == info.id &&
      std::ranges::equal(loaded[info.position].options, info.options, same)) {
    return;
  }
  throw PluginError(library.path().string() +
                    ": the file was replaced while this program ran, and \"" + info.id +
                    "\" has other options in it now; start the program again");
}

}  // namespace

Instance::Instance(std::shared_ptr<Library> library, const ComponentInfo& info,
                   const std::vector<OptionValue>& options)
    : library_(std::move(library)),
      info_(info),
      options_(options),
      name_(plugin_name(info_)),
      functions_(library_->component(info.position)) {
  check_same_manifest(*library_, info_);
  if (options_.size() != info_.options.size())
    throw ConfigError(info_.id + ": " + std::to_string(options_.size()) +
                      " options are given, it has " + std::to_string(info_.options.size()));
  call_plugin({.info = info_, .function = "create()", .name = &name_},
              [&](retort_error* error) { return functions_.create(&self_, error); });
  try {
    set_options();
  } catch (...) {
    destroy();
    throw;
  }
}

Instance::~Instance() { destroy(); }

void Instance::destroy() noexcept {
  try {
    call_plugin({.info = info_, .function = "destroy()", .name = &name_}, [&](retort_error*) {
      functions_.destroy(self_);
      return RETORT_OK;
    });
  } catch (const Error& failure) {
    spdlog::warn("{}", failure.what());
  }
}

void Instance::set_options() {
  for (uint32_t i = 0; i < options_.size(); ++i) {
    const OptionInfo& option = info_.options[i];
    const std::optional<retort_value> value = as_argument(option.type, options_[i]);
    if (!value)
      throw ConfigError(info_.id + "." + option.name + ": the value given is variant " +
                        std::to_string(options_[i].index()) + ", the option has type " +
                        std::to_string(option.type));
    const PluginCall call = {
        .info = info_, .function = "set_option()", .detail = option.name.c_str(), .name = &name_};
    call_plugin(
        call, [&](retort_error* error) { return functions_.set_option(self_, i, &*value, error); });
  }
}

const void* Instance::find_interface(const char* id) const {
  const void* found = nullptr;
  call_plugin({.info = info_, .function = "find_interface()", .name = &name_}, [&](retort_error*) {
    found = functions_.find_interface(id);
    return RETORT_OK;
  });
  return found;
}

const void* Instance::find_interface(const char* id, size_t size) const {
  const void* found = find_interface(id);
  uint32_t struct_size = 0;  // every interface begins with it
  if (found != nullptr) std::memcpy(&struct_size, found, sizeof struct_size);
  if (struct_size < size)
    throw PluginError(info_.id + " " + info_.version + " (" + info_.file.string() + "): has " +
                      (found == nullptr ? "no interface "
                                        : std::to_string(struct_size) + " bytes of interface ") +
                      id + ", " + std::to_string(size) +
                      " bytes are wanted; rebuild it with this host's SDK");
  return found;
}

}  // namespace retort::host
