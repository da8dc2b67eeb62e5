#include "framework/plugin/call_plugin.hpp"

#include <cstring>
#include <new>

#include "framework/base/error.hpp"
#include "framework/base/failure.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {

void throw_plugin_error(const ComponentInfo& info, const std::string& where, int32_t code,
                        const retort_error& error) {
  const std::string_view filled(error.message, ::strnlen(error.message, sizeof error.message));
  const std::string reason = safe_quote(without_backtrace(cut_text(filled, sizeof error.message)));
  const bool refused =
      code == RETORT_BAD_DATA || code == RETORT_BAD_CONFIG || code == RETORT_BAD_SHAPE;
  const std::string message =
      info.id + " " + info.version + " (" + info.file.string() +
      (refused ? ") in " : ") threw in ") + where + ": " +
      (reason.empty() ? "code " + std::to_string(code) + " without a message" : reason);
  switch (code) {
    case RETORT_BAD_DATA:
      throw DataError(message);
    case RETORT_BAD_CONFIG:
      throw ConfigError(message);
    case RETORT_BAD_SHAPE:
      throw ShapeError(message);
    default:
      // As the SDK passes it on; what the door said of memory is told by the scope.
      if (reason == std::bad_alloc().what()) {
        throw EnvironmentError(message +
                               ": out of memory; free some, or make what it holds smaller");
      }
      throw PluginError(message);
  }
}

const PluginName& plugin_name(const ComponentInfo& info) {
  return plugin_name(info.id + " " + info.version + " (" + info.file.string() + ")");
}

void throw_plugin_exception(const PluginCall& call) {
  const FailureReport failure = current_failure();
  const std::string message = call.info.id + " " + call.info.version + " (" +
                              call.info.file.string() + ") let an exception out of " +
                              where_text(call) + ": " + safe_quote(failure.text) +
                              "; a plugin's function returns a code and fills in its retort_error";
  if (failure.code == ExitCode::Environment) throw EnvironmentError(message);
  throw PluginError(message);
}

std::string where_text(const PluginCall& call) {
  std::string text = call.function;
  if (call.detail != nullptr) text += std::string(", ") + call.detail;
  if (call.step >= 0) text += ", step " + std::to_string(call.step);
  return text;
}

RunningCall running_call(const PluginCall& call) {
  return {call.name != nullptr ? call.name : &plugin_name(call.info), call.function, call.detail,
          call.step};
}

}  // namespace retort::host
