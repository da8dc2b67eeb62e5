#include "framework/train/output_source.hpp"

namespace retort::host {

Outputs LiveNetwork::make_outputs(const Batch& batch, const SeenField& seen,
                                  const std::vector<std::string>& taps, PassMode mode,
                                  int64_t step) {
  network_.set_pass(step, seen.view);
  return network_.forward(batch.at(seen.field), taps, mode);
}

std::vector<std::string> LiveNetwork::resolve_taps(const std::vector<std::string>& names,
                                                   const std::string& key, const Place& place) {
  return network_.resolve_taps(names, key, place);
}

OutputShapes LiveNetwork::find_shapes(const std::vector<std::string>& taps, int64_t n) {
  OutputShapes shapes;
  shapes.logits = {n, network_.input().class_count};
  for (const std::string& tap : taps) shapes.features.push_back(network_.tap_shape(tap, n));
  return shapes;
}

}  // namespace retort::host
