#pragma once

#include <ATen/core/Tensor.h>

#include "retort/abi.h"

namespace retort::host {

// A handle is the tensor's own implementation with one reference of its count: passing one costs no
// allocation.

/// A tensor that keeps what a borrowed handle points to; null gives the undefined tensor.
inline at::Tensor tensor_of(retort_tensor handle) {
  if (handle == nullptr) return {};
  return at::Tensor(c10::intrusive_ptr<c10::TensorImpl>::reclaim_copy(
      reinterpret_cast<c10::TensorImpl*>(handle)));
}

/// A handle that its receiver owns; the undefined tensor gives null.
inline retort_tensor owned_handle(at::Tensor tensor) {
  if (!tensor.defined()) return nullptr;
  return reinterpret_cast<retort_tensor>(tensor.unsafeReleaseTensorImpl());
}

/// A handle that lives as long as the tensor.
inline retort_tensor borrowed_handle(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  return reinterpret_cast<retort_tensor>(tensor.unsafeGetTensorImpl());
}

/// A value that borrows a tensor; the undefined tensor gives a none.
inline retort_value borrowed_value(const at::Tensor& tensor) {
  retort_value value{};
  value.tag = tensor.defined() ? RETORT_TAG_TENSOR : RETORT_TAG_NONE;
  value.as.tensor = borrowed_handle(tensor);
  return value;
}

}  // namespace retort::host
