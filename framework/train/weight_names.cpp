#include "framework/train/weight_names.hpp"

#include <algorithm>
#include <set>

#include "framework/base/suggest.hpp"

namespace retort::host {
namespace {

constexpr size_t kBeginningsShown = 5;

std::string_view without_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

/// Whether the beginning stands at the front of the name and ends there, or before a dot.
bool begins(std::string_view name, std::string_view beginning) {
  beginning = without_dot(beginning);
  return beginning.empty() || name == beginning ||
         (name.starts_with(beginning) && name[beginning.size()] == '.');
}

/// The rule that counts for a name, or null.
const RenameRules::value_type* find_rule(std::string_view name, const RenameRules& rules) {
  const RenameRules::value_type* best = nullptr;
  for (const auto& rule : rules) {
    if (!begins(name, rule.first)) continue;
    if (best == nullptr || without_dot(rule.first).size() > without_dot(best->first).size()) {
      best = &rule;
    }
  }
  return best;
}

/// What names begin with, up to as many dots as the beginning that was written has.
std::vector<std::string> list_beginnings(const std::vector<std::string>& names,
                                         std::string_view written) {
  const auto dots = std::count(written.begin(), written.end(), '.');
  std::set<std::string> beginnings;
  for (const std::string& name : names) {
    size_t end = name.find('.');
    for (auto more = dots; more > 0 && end != std::string::npos; --more) {
      end = name.find('.', end + 1);
    }
    beginnings.insert(name.substr(0, end));
  }
  return {beginnings.begin(), beginnings.end()};
}

}  // namespace

std::string rename_weight(const std::string& name, const RenameRules& rules) {
  const RenameRules::value_type* rule = find_rule(name, rules);
  if (rule == nullptr) return name;
  const size_t length = without_dot(rule->first).size();
  std::string_view rest = std::string_view(name).substr(length);  // "" or ".weight"; whole for ""
  if (rest.starts_with('.')) rest.remove_prefix(1);
  const std::string beginning(without_dot(rule->second));
  if (beginning.empty() || rest.empty()) return beginning + std::string(rest);
  return beginning + "." + std::string(rest);
}

std::vector<std::string> find_unused_rules(const std::vector<std::string>& names,
                                           const RenameRules& rules) {
  std::vector<std::string> unused;
  for (const auto& [from, to] : rules) {
    const auto fits = [&, &beginning = from](const std::string& name) {
      return begins(name, beginning);
    };
    if (std::any_of(names.begin(), names.end(), fits)) continue;
    const std::string_view written = without_dot(from);
    std::vector<std::string> beginnings = list_beginnings(names, written);
    const std::string near = nearest(written, beginnings);
    if (beginnings.size() > kBeginningsShown) {
      beginnings.resize(kBeginningsShown);
      beginnings.push_back("..");
    }
    unused.push_back(
        "\"" + from + "\" begins no name in the file; " +
        (near.empty() ? "names begin with " + join(beginnings) : "did you mean \"" + near + "\"?"));
  }
  return unused;
}

}  // namespace retort::host
