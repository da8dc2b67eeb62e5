#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace retort::host {

/// The tensors that the host hands to a plugin for one call, or has taken from it as a result. Others
/// use them too, so nothing that the plugin runs may write to their memory.
class LentTensors {
 public:
  void add(const at::Tensor& tensor) {
    if (tensor.defined()) tensors_.push_back(tensor);
  }
  /// Whether a tensor is one of them, or lies in the memory of one.
  bool hold_memory_of(const at::Tensor& tensor) const;
  void clear() { tensors_.clear(); }

 private:
  std::vector<at::Tensor> tensors_;
};

/// Whether two tensors are one, or views of the same memory.
bool share_memory(const at::Tensor& a, const at::Tensor& b);

}  // namespace retort::host
