#pragma once

#include <cstdint>
#include <string>

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

/// A call into a plugin: which component, and which of its functions, as in "loss()".
struct PluginCall {
  const ComponentInfo& info;
  const char* function;
  int64_t step = -1;  // told where it is 0 or more
};

/// "loss(), step 12" for a message.
std::string where_text(const PluginCall& call);

/// Calls a function of a plugin: every call of one that can fail goes through here.
/// Inputs: function, called with a retort_error to fill; returns a retort_code.
/// Throws: what throw_plugin_error makes of the code.
template <class Function>
void call_plugin(const PluginCall& call, Function&& function) {
  retort_error error = empty_error();
  const int32_t code = function(&error);
  if (code != RETORT_OK) throw_plugin_error(call.info, where_text(call), code, error);
}

}  // namespace retort::host
