#include "framework/io/markup.hpp"

#include "framework/io/safe_text.hpp"

namespace retort::host {

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : safe_text(text)) {
    if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '&') {
      safe += "&amp;";
    } else if (c == '"') {
      safe += "&quot;";
    } else if (c == '\'') {
      safe += "&#39;";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string element(std::string_view name, std::string_view content, std::string_view attributes) {
  std::string text = "<" + std::string(name);
  if (!attributes.empty()) text += " " + std::string(attributes);
  return text + ">" + std::string(content) + "</" + std::string(name) + ">";
}

}  // namespace retort::host
