#pragma once

#include <string>
#include <string_view>

namespace retort::host {

/// Text as it may stand in an element or a quoted attribute: made safe to show (safe_text), which
/// leaves nothing that XML does not allow, and its markup escaped.
std::string escaped(std::string_view text);

/// <NAME ATTRIBUTES>CONTENT</NAME>, its content being markup already.
std::string element(std::string_view name, std::string_view content,
                    std::string_view attributes = "");

}  // namespace retort::host
