#pragma once

#include <string>

#include "framework/bridge/scope.hpp"
#include "retort/abi.h"

namespace retort::host {

/// Fills an error, and this thread's last_error, and returns the code.
int32_t fail(retort_error* error, retort_code code, std::string text);

/// Does that for the exception that is being handled.
int32_t fail_for_exception(retort_error* error) noexcept;

/// The whole text of this thread's last failure.
const char* last_error_text();

/// The scope of the plugin function that runs on this thread. Throws: ScopeError where there is none.
Scope& running_scope();

/// Runs the body of a function of the table; nothing gets out but a code and a message.
template <class Body>
int32_t answer(retort_error* error, Body&& body) noexcept {
  try {
    body();
  } catch (...) {
    return fail_for_exception(error);
  }
  // The plugin went on after a failure of the machine, so that is not why it may fail now.
  Scope* scope = current_scope();
  if (scope != nullptr) scope->machine_failure.clear();
  return RETORT_OK;
}

/// The functions of the table that need the scope of a component; see abi.h.
namespace door {
int32_t declare_parameter(const retort_parameter_spec* spec, int64_t* slot, retort_error* error);
int32_t declare_buffer(const retort_parameter_spec* spec, int64_t* slot, retort_error* error);
int32_t draw(const retort_draw_spec* spec, retort_tensor* out, retort_error* error);
int32_t publish(const char* tap, const retort_value* tensor, retort_error* error);
int32_t wants_tap(const char* tap);
int32_t training();
int32_t log_metric(const char* name, const retort_value* value, retort_error* error);
int32_t warn(const char* text, retort_error* error);
// These need none.
int32_t read_file_bytes(const char* path, uint64_t max_bytes, retort_bytes* out,
                        retort_error* error);
int32_t read_head_bytes(const char* path, uint64_t count, retort_bytes* out, retort_error* error);
void release_bytes(retort_bytes* bytes);
}  // namespace door

}  // namespace retort::host
