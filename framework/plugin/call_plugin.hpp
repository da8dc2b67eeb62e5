#pragma once

#include <cstdint>
#include <string>

#include "framework/guard/plugin_entry.hpp"
#include "framework/plugin/manifest.hpp"

namespace retort::host {

/// Throws what a plugin's function reported: DataError, ConfigError, ShapeError, or PluginError,
/// with the message "logits.mine 0.2.0 (plugins/mine.retort) threw in loss(), step 12: ...".
/// Inputs: where, as "loss(), step 12"; code, the function's result; error, as it filled it.
[[noreturn]] void throw_plugin_error(const ComponentInfo& info, const std::string& where,
                                     int32_t code, const retort_error& error);

/// An empty error for a plugin's function to fill.
inline retort_error empty_error() {
  retort_error error;
  error.struct_size = sizeof error;
  error.code = RETORT_OK;
  error.message[0] = '\0';
  return error;
}

/// "logits.mine 0.2.0 (plugins/mine.retort)", for the guard.
const PluginName& plugin_name(const ComponentInfo& info);

/// A call into a plugin. The text of `function` lives as long as the process.
struct PluginCall {
  const ComponentInfo& info;
  const char* function;              // "loss()"
  const char* detail = nullptr;      // "scale" in "set_option(), scale"
  int64_t step = -1;                 // told where it is 0 or more
  Watch watch = Watch::Process;      // not in every step
  const PluginName* name = nullptr;  // of info, where it is known already
};

/// "loss(), step 12" or "set_option(), scale".
std::string where_text(const PluginCall& call);

/// The call as the guard knows it.
RunningCall running_call(const PluginCall& call);

/// Throws the exception that is being handled, which came out of a plugin's function, as PluginError.
[[noreturn]] void throw_plugin_exception(const PluginCall& call);

/// Calls a function of a plugin: every call of one that can fail goes through here, within a
/// PluginEntry.
/// Inputs: function, called with a retort_error to fill; returns a retort_code. RETORT_OK with a
///         message of that code is a failure: a function that did well says nothing. A message of
///         another code may be left of a call to the host that failed and did not matter.
/// Throws: what throw_plugin_error makes of the code; PluginError for an exception of any kind, which
/// a plugin may not let out.
template <class Function>
void call_plugin(const PluginCall& call, Function&& function) {
  retort_error error = empty_error();
  int32_t code = RETORT_OK;
  try {
    const PluginEntry entry(running_call(call), call.watch);
    code = function(&error);
  } catch (...) {
    throw_plugin_exception(call);
  }
  if (code == RETORT_OK && error.code == RETORT_OK && error.message[0] != '\0') {
    code = RETORT_FAILED;
  }
  if (code != RETORT_OK) throw_plugin_error(call.info, where_text(call), code, error);
}

}  // namespace retort::host
