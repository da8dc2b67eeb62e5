#include "framework/bridge/undeclared.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "framework/bridge/operators.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

/// What was told of each component of each file.
struct UndeclaredNames {
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, std::set<std::string>> names;

  std::set<std::string>& of(const ComponentInfo& component) {
    return names[{component.file.string(), component.id}];
  }
};
UndeclaredNames& undeclared_names() {
  static UndeclaredNames all;
  return all;
}

bool is_declared(const ComponentInfo& component, const Operator& op) {
  return std::any_of(component.uses.begin(), component.uses.end(), [&](const OperatorName& use) {
    return op.name == (use.overload.empty() ? use.name : use.name + "." + use.overload);
  });
}

/// "uses("aten::topk")", as it stands in a declaration.
std::string declaration_of(const std::string& name) {
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return "uses(\"" + name + "\")";
  return "uses(\"" + name.substr(0, dot) + "\", \"" + name.substr(dot + 1) + "\")";
}

}  // namespace

void UndeclaredOperators::note(const ComponentInfo* component, const Operator& op) {
  if (op.wrapped || component == nullptr) return;
  if (std::find(known_.begin(), known_.end(), &op) != known_.end()) return;
  if (!is_declared(*component, op)) known_.push_back(&op);
}

void UndeclaredOperators::warn(const ComponentInfo& component) {
  if (warned_ == known_.size()) return;
  std::vector<std::string> declarations;
  const std::lock_guard lock(undeclared_names().mutex);
  for (; warned_ < known_.size(); ++warned_) {
    const std::string& name = known_[warned_]->name;
    if (undeclared_names().of(component).insert(name).second)
      declarations.push_back(declaration_of(name));
  }
  if (declarations.empty()) return;
  spdlog::warn(
      "{} {} ({}) uses operators that it does not declare, so `retort inspect` does not "
      "show them; add {} to its declaration",
      component.id, component.version, component.file.string(), fmt::join(declarations, ", "));
}

std::vector<std::string> undeclared_operators(const ComponentInfo& component) {
  const std::lock_guard lock(undeclared_names().mutex);
  const std::set<std::string>& names = undeclared_names().of(component);
  return {names.begin(), names.end()};
}

}  // namespace retort::host
