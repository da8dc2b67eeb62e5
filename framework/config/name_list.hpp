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

/// The names that may be given.
struct KnownNames {
  std::vector<std::string> names;
  bool whole = true;  // false: there are others, which a mistake that was told hides
};

/// The names of networks or transfers. They are not whole where one has no name, two have the same,
/// or the name of one is wrong.
template <class Named>
KnownNames know_names(const std::vector<Named>& all, const Diagnostics& diagnostics);

/// Whether a name by itself may stand for the list of it.
enum class NameForm { List, OneOrList };

/// Reads a list of names. What is no name, an empty list and a name given twice are mistakes; the
/// names that are good come back.
std::vector<GivenName> read_name_list(const Node& node, const std::string& path, NameForm form,
                                      Diagnostics& diagnostics);

/// Whether the list has no other names than these: none was refused.
bool are_all(const std::vector<GivenName>& names, const Node& list);

bool is_among(const std::vector<std::string>& names, const std::string& name);

/// The name itself where it is known. Or else a mistake is added, and what comes back is the name
/// that was likely meant, so that what follows from it is not told too; "" where none is near, and,
/// without a mistake, where it may be one that is hidden. `kind` is what it should name: "view".
std::string find_known(const GivenName& given, const std::string& kind, const KnownNames& known,
                       Diagnostics& diagnostics);

/// Whether the table has another key that likely was meant to be this one.
bool is_misspelt(const Node& table, const std::string& key);

/// Whether a mistake was told of a key in the table of this path, or of one that likely was meant to
/// be it: what follows from it is not told too.
bool is_unclear(const std::string& table, const std::string& key, const Diagnostics& diagnostics);

template <class Named>
KnownNames know_names(const std::vector<Named>& all, const Diagnostics& diagnostics) {
  KnownNames known;
  for (const Named& each : all) {
    known.whole &= !each.name.empty() && !is_among(known.names, each.name) &&
                   !is_unclear(each.key, "name", diagnostics);
    if (!each.name.empty()) known.names.push_back(each.name);
  }
  return known;
}

}  // namespace retort::host::config
