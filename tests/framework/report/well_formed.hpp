#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/framework/io/scratch.hpp"

namespace retort::test {

/// Reads a page as XML does: elements nest and end, and text holds no bare & or <. The first
/// mistake with the text around it, or "".
inline std::string first_markup_mistake(const std::string& page) {
  static const std::set<std::string> kEntities = {"lt",  "gt",    "amp",  "quot",
                                                  "#39", "#8594", "#8595"};
  std::vector<std::string> open;
  size_t at = page.find('\n');  // after the document type
  while (++at < page.size()) {
    const std::string around = page.substr(at, 60);
    if (page[at] == '&' && kEntities.count(page.substr(at + 1, page.find(';', at) - at - 1)) == 0) {
      return "entity: " + around;
    }
    if (page[at] != '<') continue;
    const size_t end = page.find('>', at);
    if (end == std::string::npos) return "tag without an end: " + around;
    const std::string tag = page.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
    if (tag.find('<') != std::string::npos) return "< in a tag: " + around;
    if (tag[0] == '/') {
      if (open.empty() || "/" + open.back() != tag) return "ends what is not open: " + around;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    at = end;
  }
  return open.empty() ? "" : "not ended: " + open.back();
}

}  // namespace retort::test
