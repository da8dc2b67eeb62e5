#pragma once

#include <string>

#include "framework/io/safe_text.hpp"

namespace retort::host {

/// A JSON value as text that may be shown (see escape_unseen). Unlike dump() it never throws: what is no
/// UTF-8 becomes U+FFFD. `Json` is nlohmann's json or ordered_json.
template <class Json>
std::string json_text(const Json& value, int indent = -1) {
  return escape_unseen(value.dump(indent, ' ', false, Json::error_handler_t::replace),
                       Escapes::Json);
}

}  // namespace retort::host
