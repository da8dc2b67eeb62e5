#pragma once

#include <string>
#include <vector>

#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"

namespace retort::host::config {

/// A name that the file gives, of a view or network say, and where.
struct GivenName {
  std::string name;
  std::string path;  // "student.views[1]"
  const Node* node;
};

/// Whether a name by itself may stand for the list of it.
enum class NameForm { List, OneOrList };

/// Reads a list of names. What is no name, an empty list and a name given twice are mistakes; the
/// names that are good come back.
std::vector<GivenName> read_name_list(const Node& node, const std::string& path, NameForm form,
                                      Diagnostics& diagnostics);

bool is_among(const std::vector<std::string>& names, const std::string& name);

/// The name itself where it is known. Or else a mistake is added, and what comes back is the name
/// that was likely meant, so that what follows from it is not told too; "" where none is near.
/// `kind` is what it should name: "view".
std::string find_known(const GivenName& given, const std::string& kind,
                       const std::vector<std::string>& known, Diagnostics& diagnostics);

}  // namespace retort::host::config
