#include "framework/exported/roles.hpp"

namespace retort::host::exported {

retort_role find_role(const std::string& name, int64_t rank,
                      const std::map<std::string, std::string>& module_classes) {
  const size_t dot = name.rfind('.');
  const std::string path = dot == std::string::npos ? "" : name.substr(0, dot);
  const std::string last = dot == std::string::npos ? name : name.substr(dot + 1);
  const auto module = module_classes.find(path);
  const std::string class_name =
      module == module_classes.end() ? "" : module->second.substr(module->second.rfind('.') + 1);
  if (class_name.find("Norm") != std::string::npos) return RETORT_ROLE_NORM;
  if (last == "bias" || last.ends_with("_bias")) return RETORT_ROLE_BIAS;
  return rank < 2 ? RETORT_ROLE_NORM : RETORT_ROLE_WEIGHT;
}

}  // namespace retort::host::exported
