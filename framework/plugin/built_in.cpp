#include "framework/plugin/built_in.hpp"

namespace retort::host {

std::vector<ComponentInfo> make_built_in_components() {
  ComponentInfo exported;
  exported.kind = RETORT_KIND_MODEL;
  exported.id = kExportedModel;
  exported.version = RETORT_VERSION;
  exported.summary = "A network of PyTorch from a file of torch.export: file = \"net.pt2\"";
  exported.built_in = true;
  return {exported};
}

bool is_exported(const ComponentInfo& info) {
  return info.built_in && info.kind == RETORT_KIND_MODEL && info.id == kExportedModel;
}

}  // namespace retort::host
