#include "framework/bridge/door_answer.hpp"

#include <c10/util/Exception.h>

#include <cstring>

#include "framework/base/failure.hpp"
#include "framework/bridge/checks.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

thread_local std::string last_failure;

int32_t fail_for_machine(retort_error* error, const std::string& text) {
  Scope* scope = current_scope();
  if (scope != nullptr) scope->machine_failure = text;
  return fail(error, RETORT_OPERATOR_FAILED, text);
}

/// Of no class of the host: LibTorch's, or the standard library's.
int32_t fail_for_foreign(retort_error* error, const std::exception& failure) {
  if (const auto text = out_of_memory_text(failure)) return fail_for_machine(error, *text);
  const auto* torch = dynamic_cast<const c10::Error*>(&failure);
  return fail(error, RETORT_OPERATOR_FAILED,
              torch != nullptr ? torch->what_without_backtrace() : failure.what());
}

}  // namespace

int32_t fail(retort_error* error, retort_code code, std::string text) {
  last_failure = std::move(text);
  if (error != nullptr && error->struct_size >= sizeof(retort_error)) {
    error->code = code;
    const std::string_view kept = cut_text(last_failure, sizeof(error->message) - 1);
    std::memcpy(error->message, kept.data(), kept.size());
    error->message[kept.size()] = '\0';
  }
  return code;
}

int32_t fail_for_exception(retort_error* error) noexcept {
  try {
    throw;
  } catch (const ShapeError& failure) {
    return fail(error, RETORT_BAD_SHAPE, failure.what());
  } catch (const DataError& failure) {
    return fail(error, RETORT_BAD_DATA, failure.what());
  } catch (const ConfigError& failure) {
    return fail(error, RETORT_BAD_CONFIG, failure.what());
  } catch (const EnvironmentError& failure) {
    return fail_for_machine(error, failure.what());
  } catch (const ScopeError& failure) {
    return fail(error, RETORT_NO_SCOPE, failure.what());
  } catch (const Error& failure) {
    return fail(error, RETORT_BAD_ARGUMENT, failure.what());
  } catch (const std::exception& failure) {
    return fail_for_foreign(error, failure);
  } catch (...) {
    return fail(error, RETORT_FAILED, "the host threw something that is no std::exception");
  }
}

const char* last_error_text() { return last_failure.c_str(); }

Scope& running_scope() {
  Scope* running = current_scope();
  if (running == nullptr) {
    const PluginName* last = latest_call().call.plugin;
    throw ScopeError(
        "a plugin calls the host from a thread of its own, or outside the function that the host "
        "called" +
        (last == nullptr ? "" : " (the last to run is " + last->name.text + ")") +
        "; call it only on the thread, and during the call, that the host made");
  }
  return *running;
}

}  // namespace retort::host
