#pragma once

#include "retort/tensor.hpp"

// Reductions, softmax, sorting and matrix products, with ATen's names, argument order and defaults.
// `dims` of a sum or mean may be one number or a braced list.

RETORT_BEGIN_NAMESPACE

inline Tensor sum(const Tensor& self) {
  static const Operator op("aten::sum");
  return op.one({self});
}
inline Tensor sum(const Tensor& self, const Ints& dims, bool keepdim = false) {
  static const Operator op("aten::sum", "dim_IntList");
  return op.one({self, dims, keepdim});
}
inline Tensor mean(const Tensor& self) {
  static const Operator op("aten::mean");
  return op.one({self});
}
inline Tensor mean(const Tensor& self, const Ints& dims, bool keepdim = false) {
  static const Operator op("aten::mean", "dim");
  return op.one({self, dims, keepdim});
}
/// Divides by n - correction: 1 is the unbiased estimate.
inline Tensor var(const Tensor& self, const Ints& dims, int64_t correction = 1,
                  bool keepdim = false) {
  static const Operator op("aten::var", "correction");
  return op.one({self, dims, correction, keepdim});
}
inline Tensor std(const Tensor& self, const Ints& dims, int64_t correction = 1,
                  bool keepdim = false) {
  static const Operator op("aten::std", "correction");
  return op.one({self, dims, correction, keepdim});
}
inline Tensor amax(const Tensor& self, const Ints& dims, bool keepdim = false) {
  static const Operator op("aten::amax");
  return op.one({self, dims, keepdim});
}
inline Tensor amin(const Tensor& self, const Ints& dims, bool keepdim = false) {
  static const Operator op("aten::amin");
  return op.one({self, dims, keepdim});
}
inline Tensor argmax(const Tensor& self, int64_t dim, bool keepdim = false) {
  static const Operator op("aten::argmax");
  return op.one({self, dim, keepdim});
}
/// The median of all elements; of two middle ones the lower.
inline Tensor median(const Tensor& self) {
  static const Operator op("aten::median");
  return op.one({self});
}
inline Tensor all(const Tensor& self) {
  static const Operator op("aten::all");
  return op.one({self});
}
inline Tensor any(const Tensor& self) {
  static const Operator op("aten::any");
  return op.one({self});
}
inline Tensor cumsum(const Tensor& self, int64_t dim) {
  static const Operator op("aten::cumsum");
  return op.one({self, dim});
}
/// Vector norm of order p along dims; its gradient at zero is zero.
inline Tensor norm(const Tensor& self, double p, const Ints& dims, bool keepdim = false) {
  static const Operator op("aten::linalg_vector_norm");
  return op.one({self, p, dims, keepdim});
}
/// {values, indices} of the k largest along a dimension.
inline std::vector<Tensor> topk(const Tensor& self, int64_t k, int64_t dim = -1,
                                bool largest = true) {
  static const Operator op("aten::topk");
  return op.many({self, k, dim, largest, true}, 2);
}
/// {values, indices}, stable.
inline std::vector<Tensor> sort(const Tensor& self, int64_t dim = -1, bool descending = false) {
  static const Operator op("aten::sort", "stable");
  return op.many({self, true, dim, descending}, 2);
}

inline Tensor softmax(const Tensor& self, int64_t dim) {
  static const Operator op("aten::softmax", "int");
  return op.one({self, dim});
}
inline Tensor log_softmax(const Tensor& self, int64_t dim) {
  static const Operator op("aten::log_softmax", "int");
  return op.one({self, dim});
}
inline Tensor logsumexp(const Tensor& self, const Ints& dims, bool keepdim = false) {
  static const Operator op("aten::logsumexp");
  return op.one({self, dims, keepdim});
}

inline Tensor matmul(const Tensor& self, const Tensor& other) {
  static const Operator op("aten::matmul");
  return op.one({self, other});
}
inline Tensor mm(const Tensor& self, const Tensor& other) {
  static const Operator op("aten::mm");
  return op.one({self, other});
}
inline Tensor bmm(const Tensor& self, const Tensor& other) {
  static const Operator op("aten::bmm");
  return op.one({self, other});
}
/// Products of tensors in index notation: einsum("bchw,bdhw->bcd", {x, y}).
inline Tensor einsum(std::string_view equation, const Tensors& tensors) {
  static const Operator op("aten::einsum");
  return op.one({equation, tensors});
}
/// Distances between the rows of a [B, P, M] and b [B, R, M].
inline Tensor cdist(const Tensor& a, const Tensor& b, double p = 2) {
  static const Operator op("aten::cdist");
  return op.one({a, b, p});
}
/// {U, S, Vh}; declare syncs().
inline std::vector<Tensor> svd(const Tensor& self, bool full_matrices = false) {
  static const Operator op("aten::linalg_svd");
  return op.many({self, full_matrices}, 3);
}
/// X of A X = B; declare syncs().
inline Tensor solve(const Tensor& a, const Tensor& b) {
  static const Operator op("aten::linalg_solve");
  return op.one({a, b});
}
/// Covariance of the rows of [variables, observations].
inline Tensor cov(const Tensor& self, int64_t correction = 1) {
  static const Operator op("aten::cov");
  return op.one({self, correction});
}

RETORT_END_NAMESPACE
