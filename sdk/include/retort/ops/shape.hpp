#pragma once

#include "retort/tensor.hpp"

// Views, joins, indexing and creation, with ATen's names, argument order and defaults. What creates
// a tensor puts it on the running device; floats are float32 unless a dtype is given.

RETORT_BEGIN_NAMESPACE

inline Tensor reshape(const Tensor& self, const Ints& sizes) {
  static const Operator op("aten::reshape");
  return op.one({self, sizes});
}
inline Tensor flatten(const Tensor& self, int64_t start_dim = 0, int64_t end_dim = -1) {
  static const Operator op("aten::flatten", "using_ints");
  return op.one({self, start_dim, end_dim});
}
inline Tensor expand(const Tensor& self, const Ints& sizes) {
  static const Operator op("aten::expand");
  return op.one({self, sizes});
}
inline Tensor permute(const Tensor& self, const Ints& dims) {
  static const Operator op("aten::permute");
  return op.one({self, dims});
}
inline Tensor transpose(const Tensor& self, int64_t dim0, int64_t dim1) {
  static const Operator op("aten::transpose", "int");
  return op.one({self, dim0, dim1});
}
/// The transpose of a matrix.
inline Tensor t(const Tensor& self) {
  static const Operator op("aten::t");
  return op.one({self});
}
inline Tensor squeeze(const Tensor& self, int64_t dim) {
  static const Operator op("aten::squeeze", "dim");
  return op.one({self, dim});
}
inline Tensor unsqueeze(const Tensor& self, int64_t dim) {
  static const Operator op("aten::unsqueeze");
  return op.one({self, dim});
}
inline Tensor contiguous(const Tensor& self) {
  static const Operator op("aten::contiguous");
  return op.one({self});
}
inline Tensor clone(const Tensor& self) {
  static const Operator op("aten::clone");
  return op.one({self});
}

inline Tensor cat(const Tensors& tensors, int64_t dim = 0) {
  static const Operator op("aten::cat");
  return op.one({tensors, dim});
}
inline Tensor stack(const Tensors& tensors, int64_t dim = 0) {
  static const Operator op("aten::stack");
  return op.one({tensors, dim});
}
/// Pieces of `size` along a dimension; the last may be smaller.
inline std::vector<Tensor> split(const Tensor& self, int64_t size, int64_t dim = 0) {
  static const Operator op("aten::split", "Tensor");
  return op.many({self, size, dim},
                 static_cast<size_t>(self.size(dim) / (size > 0 ? size : 1) + 1));
}
inline std::vector<Tensor> chunk(const Tensor& self, int64_t chunks, int64_t dim = 0) {
  static const Operator op("aten::chunk");
  return op.many({self, chunks, dim}, static_cast<size_t>(chunks > 0 ? chunks : 1));
}
inline std::vector<Tensor> unbind(const Tensor& self, int64_t dim = 0) {
  static const Operator op("aten::unbind", "int");
  return op.many({self, dim}, static_cast<size_t>(self.size(dim)));
}

inline Tensor select(const Tensor& self, int64_t dim, int64_t index) {
  static const Operator op("aten::select", "int");
  return op.one({self, dim, index});
}
inline Tensor narrow(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
  static const Operator op("aten::narrow");
  return op.one({self, dim, start, length});
}
/// self[start:end:step] along a dimension.
inline Tensor slice(const Tensor& self, int64_t dim, std::optional<int64_t> start,
                    std::optional<int64_t> end = {}, int64_t step = 1) {
  static const Operator op("aten::slice", "Tensor");
  return op.one({self, dim, start, end, step});
}
inline Tensor index_select(const Tensor& self, int64_t dim, const Tensor& index) {
  static const Operator op("aten::index_select");
  return op.one({self, dim, index});
}
inline Tensor gather(const Tensor& self, int64_t dim, const Tensor& index) {
  static const Operator op("aten::gather");
  return op.one({self, dim, index});
}
inline Tensor scatter(const Tensor& self, int64_t dim, const Tensor& index, double value) {
  static const Operator op("aten::scatter", "value");
  return op.one({self, dim, index, value});
}
inline Tensor scatter(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  static const Operator op("aten::scatter", "src");
  return op.one({self, dim, index, source});
}
/// self[indices...]; an undefined entry takes the whole dimension.
inline Tensor index(const Tensor& self, const Tensors& indices) {
  static const Operator op("aten::index", "Tensor");
  return op.one({self, indices});
}
inline Tensor one_hot(const Tensor& self, int64_t num_classes) {
  static const Operator op("aten::one_hot");
  return op.one({self, num_classes});
}
inline Tensor diagonal(const Tensor& self, int64_t offset = 0, int64_t dim1 = 0, int64_t dim2 = 1) {
  static const Operator op("aten::diagonal");
  return op.one({self, offset, dim1, dim2});
}
inline Tensor triu(const Tensor& self, int64_t diagonal = 0) {
  static const Operator op("aten::triu");
  return op.one({self, diagonal});
}
inline Tensor flip(const Tensor& self, const Ints& dims) {
  static const Operator op("aten::flip");
  return op.one({self, dims});
}
/// Pads with a constant, last dimension first: {left, right, top, bottom, ...}.
inline Tensor pad(const Tensor& self, const Ints& padding, double value = 0) {
  static const Operator op("aten::constant_pad_nd");
  return op.one({self, padding, value});
}

inline Tensor arange(int64_t end) {
  static const Operator op("aten::arange");
  return op.one({end, Dtype::Int64});
}
inline Tensor eye(int64_t n, std::optional<Dtype> dtype = {}) {
  static const Operator op("aten::eye");
  return op.one({n, dtype});
}
inline Tensor full(const Ints& sizes, double value, std::optional<Dtype> dtype = {}) {
  static const Operator op("aten::full");
  return op.one({sizes, value, dtype});
}
inline Tensor ones(const Ints& sizes, std::optional<Dtype> dtype = {}) {
  static const Operator op("aten::ones");
  return op.one({sizes, dtype});
}
inline Tensor zeros(const Ints& sizes, std::optional<Dtype> dtype = {}) {
  static const Operator op("aten::zeros");
  return op.one({sizes, dtype});
}
inline Tensor full_like(const Tensor& self, double value) {
  static const Operator op("aten::full_like");
  return op.one({self, value});
}
inline Tensor ones_like(const Tensor& self) {
  static const Operator op("aten::ones_like");
  return op.one({self});
}
inline Tensor zeros_like(const Tensor& self) {
  static const Operator op("aten::zeros_like");
  return op.one({self});
}

RETORT_END_NAMESPACE
