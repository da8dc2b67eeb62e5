#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace retort::host {

/// A name's beginning in a weights file -> the beginning that it has in the model, as in
/// rename = { "linear" = "fc" }.
using RenameRules = std::map<std::string, std::string>;

/// The name that a tensor of a file has in the model. A rule fits at a dot, which may be written or
/// not: { "module" = "" } and { "module." = "" } both make fc.weight of module.fc.weight. "" fits
/// every name. Of several rules that fit, the longest counts.
std::string rename_weight(const std::string& name, const RenameRules& rules);

/// The rules that fit none of these names: "\"modul\" begins no name; names begin with module".
/// `names` are those in the file.
std::vector<std::string> find_unused_rules(const std::vector<std::string>& names,
                                           const RenameRules& rules);

}  // namespace retort::host
