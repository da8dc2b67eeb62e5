#include "framework/bridge/lent_tensors.hpp"

#include <algorithm>

namespace retort::host {

bool share_memory(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_same(b)) return true;
  return a.has_storage() && b.has_storage() && a.storage().is_alias_of(b.storage());
}

bool LentTensors::hold_memory_of(const at::Tensor& tensor) const {
  return std::any_of(tensors_.begin(), tensors_.end(),
                     [&](const at::Tensor& lent) { return share_memory(lent, tensor); });
}

}  // namespace retort::host
