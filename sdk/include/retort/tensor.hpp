#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "retort/abi.h"
#include "retort/error.hpp"
#include "retort/namespace.hpp"

RETORT_BEGIN_NAMESPACE

enum class Dtype : int32_t {
  Float32 = RETORT_FLOAT32,
  Float64 = RETORT_FLOAT64,
  Float16 = RETORT_FLOAT16,
  BFloat16 = RETORT_BFLOAT16,
  Int64 = RETORT_INT64,
  Int32 = RETORT_INT32,
  Int16 = RETORT_INT16,
  Int8 = RETORT_INT8,
  UInt8 = RETORT_UINT8,
  Bool = RETORT_BOOL,
};

/// The sizes of a tensor, at most RETORT_MAX_RANK of them, without an allocation.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) {
    for (const int64_t size : sizes) push_back(size);
  }
  Shape(const int64_t* sizes, uint32_t rank) {
    for (uint32_t i = 0; i < rank; ++i) push_back(sizes[i]);
  }

  int64_t rank() const { return rank_; }
  /// The size of a dimension; a negative one counts from the end.
  /// Throws:  ShapeError when there is no such dimension.
  int64_t operator[](int64_t dim) const {
    const int64_t at = dim < 0 ? dim + rank_ : dim;
    if (at < 0 || at >= rank_) refuse(dim);
    return sizes_[at];
  }
  int64_t numel() const {
    int64_t product = 1;
    for (const int64_t size : *this) product *= size;
    return product;
  }
  const int64_t* data() const { return sizes_; }
  const int64_t* begin() const { return sizes_; }
  const int64_t* end() const { return sizes_ + rank_; }
  void push_back(int64_t size) {
    if (rank_ == RETORT_MAX_RANK) throw ShapeError("a shape has at most 8 dimensions");
    sizes_[rank_++] = size;
  }
  /// "[128, 10]"
  RETORT_COLD std::string text() const {
    std::string out = "[";
    for (int64_t i = 0; i < rank_; ++i) out += message(i == 0 ? "" : ", ", sizes_[i]);
    return out += "]";
  }
  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int64_t i = 0; i < a.rank_; ++i) {
      if (a.sizes_[i] != b.sizes_[i]) return false;
    }
    return true;
  }
  friend bool operator!=(const Shape& a, const Shape& b) { return !(a == b); }

 private:
  [[noreturn]] RETORT_COLD void refuse(int64_t dim) const {
    throw ShapeError(message("dimension ", dim, " of a tensor of shape ", text()));
  }

  int64_t sizes_[RETORT_MAX_RANK] = {};
  int64_t rank_ = 0;
};

namespace detail {

// Marks the undefined tensor that stands for an input which the host did not hand over; as.text says
// why. It never crosses the door: require_given() throws before.
inline constexpr int32_t kNotGiven = -1;

[[noreturn]] RETORT_COLD inline void refuse_not_given(const retort_value& value) {
  throw Error(value.as.text, RETORT_BAD_ARGUMENT);
}

inline void require_given(const retort_value& value) {
  if (value.tag == RETORT_TAG_NONE && value.flags == kNotGiven) refuse_not_given(value);
}

__attribute__((noinline)) inline void require_given(const retort_value* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    require_given(values[i]);
    if (values[i].tag != RETORT_TAG_TENSORS) continue;
    for (int64_t k = 0; k < values[i].count; ++k) require_given(values[i].as.values[k]);
  }
}

}  // namespace detail

/// A tensor of the host, or a parameter slot of the running network. Copies share the tensor. A
/// default-constructed one is undefined: it stands for "no tensor" where an operator allows that.
/// Threads: only the one that the host calls the plugin on.
class Tensor {
 public:
  Tensor() = default;
  // Out of line: strategies copy and drop many; inlined, these cost a tenth of the compile time.
  __attribute__((noinline)) Tensor(const Tensor& other) : value_(other.value_) { retain(); }
  Tensor(Tensor&& other) noexcept : value_(other.value_) { other.value_ = {}; }
  Tensor& operator=(Tensor other) noexcept {
    const retort_value mine = value_;
    value_ = other.value_;
    other.value_ = mine;
    return *this;
  }
  __attribute__((noinline)) ~Tensor() {
    if (value_.tag == RETORT_TAG_TENSOR && value_.as.tensor != nullptr)
      detail::host().release(value_.as.tensor);
  }

  /// Takes over a handle that the caller owns.
  static Tensor adopt(retort_tensor handle) {
    Tensor result;
    if (handle != nullptr) {
      result.value_.tag = RETORT_TAG_TENSOR;
      result.value_.as.tensor = handle;
    }
    return result;
  }
  /// Keeps a tensor or slot that somebody else owns.
  static Tensor borrow(const retort_value& value) {
    Tensor result;
    if (value.tag == RETORT_TAG_TENSOR || value.tag == RETORT_TAG_PARAM) result.value_ = value;
    result.retain();
    return result;
  }
  /// The undefined tensor in place of an input that the host did not hand over. Whatever reads it
  /// throws Error with the reason, a literal.
  static Tensor not_given(const char* reason) {
    Tensor result;
    result.value_.flags = detail::kNotGiven;
    result.value_.as.text = reason;
    return result;
  }
  /// The parameter or buffer of a slot; Builder gives these out.
  static Tensor parameter(int64_t slot) {
    Tensor result;
    result.value_.tag = RETORT_TAG_PARAM;
    result.value_.as.integer = slot;
    return result;
  }
  /// Copies row-major memory of that shape, shape.numel() numbers, to the running device.
  static Tensor from(const double* data, const Shape& shape) {
    return copy(Dtype::Float64, data, shape);
  }
  static Tensor from(const float* data, const Shape& shape) {
    return copy(Dtype::Float32, data, shape);
  }
  static Tensor from(const int64_t* data, const Shape& shape) {
    return copy(Dtype::Int64, data, shape);
  }

  bool defined() const { return value_.tag != RETORT_TAG_NONE; }
  /// Throws:  Error for an undefined tensor; so do size(), rank(), numel() and dtype().
  Shape shape() const {
    int64_t sizes[RETORT_MAX_RANK];
    uint32_t rank = 0;
    detail::require_given(value_);
    detail::Failure failure;
    detail::check(detail::host().shape(&value_, sizes, &rank, &failure));
    return Shape(sizes, rank);
  }
  int64_t size(int64_t dim) const { return shape()[dim]; }
  int64_t rank() const { return shape().rank(); }
  int64_t numel() const { return shape().numel(); }
  Dtype dtype() const {
    int32_t dtype = 0;
    detail::require_given(value_);
    detail::Failure failure;
    detail::check(detail::host().dtype(&value_, &dtype, &failure));
    return static_cast<Dtype>(dtype);
  }
  /// The one element as a number. Waits for the device: declare syncs().
  /// Throws:  Error when there is not exactly one element, and in a model's forward.
  double item() const {
    retort_value scalar{};
    detail::require_given(value_);
    detail::Failure failure;
    detail::check(detail::host().item(&value_, &scalar, &failure));
    return scalar.tag == RETORT_TAG_REAL ? scalar.as.real : static_cast<double>(scalar.as.integer);
  }

  const retort_value& value() const { return value_; }
  /// Gives the handle to a caller who will own it.
  retort_value release() {
    const retort_value mine = value_;
    value_ = {};
    return mine;
  }

 private:
  void retain() {
    if (value_.tag == RETORT_TAG_TENSOR) detail::host().retain(value_.as.tensor);
  }
  static Tensor copy(Dtype dtype, const void* data, const Shape& shape) {
    retort_tensor handle = nullptr;
    detail::Failure failure;
    detail::check(detail::host().copy_from_host(static_cast<int32_t>(dtype), shape.data(),
                                                static_cast<uint32_t>(shape.rank()), data, &handle,
                                                &failure));
    return adopt(handle);
  }

  retort_value value_{};
};

/// A view of integers: a braced list, a vector, a Shape, or one number. Valid as long as what it
/// was made from.
class Ints {
 public:
  Ints(std::initializer_list<int64_t> list) : size_(list.size()) { data_ = list.begin(); }
  Ints(const std::vector<int64_t>& list) : data_(list.data()), size_(list.size()) {}
  Ints(const Shape& shape) : data_(shape.data()), size_(static_cast<size_t>(shape.rank())) {}
  Ints(int64_t one) : one_(one), size_(1) {}
  Ints(int one) : Ints(static_cast<int64_t>(one)) {}
  const int64_t* data() const { return data_ != nullptr || size_ == 0 ? data_ : &one_; }
  size_t size() const { return size_; }

 private:
  const int64_t* data_ = nullptr;
  int64_t one_ = 0;
  size_t size_ = 0;
};

/// A view of tensors: a braced list or a vector; an undefined one means "none".
class Tensors {
 public:
  Tensors(std::initializer_list<Tensor> list) : Tensors(list.begin(), list.size()) {}
  Tensors(const std::vector<Tensor>& list) : Tensors(list.data(), list.size()) {}
  Tensors(const Tensor* data, size_t size) : data_(data), size_(size) {}
  // A Tensor is exactly its retort_value, so an array of one is an array of the other.
  const retort_value* values() const { return reinterpret_cast<const retort_value*>(data_); }
  size_t size() const { return size_; }

 private:
  static_assert(sizeof(Tensor) == sizeof(retort_value));
  const Tensor* data_;
  size_t size_;
};

/// One argument of an operator: anything an ATen schema knows. It views what it was made from.
class Value {
 public:
  Value() = default;
  Value(std::nullopt_t) {}
  Value(const Tensor& tensor) : value_(tensor.value()) {}
  /// A tensor that nobody looks at again: the host may put the result in its memory.
  static Value last_use(const Tensor& tensor) {
    Value value(tensor);
    value.value_.flags = RETORT_VALUE_LAST_USE;
    return value;
  }
  Value(int number) : Value(static_cast<int64_t>(number)) {}
  Value(int64_t number) {
    value_.tag = RETORT_TAG_INT;
    value_.as.integer = number;
  }
  Value(double number) {
    value_.tag = RETORT_TAG_REAL;
    value_.as.real = number;
  }
  Value(bool flag) {
    value_.tag = RETORT_TAG_BOOL;
    value_.as.integer = flag ? 1 : 0;
  }
  Value(Dtype dtype) {
    value_.tag = RETORT_TAG_DTYPE;
    value_.as.integer = static_cast<int32_t>(dtype);
  }
  Value(const char* text) : Value(std::string_view(text)) {}
  Value(std::string_view text) {
    value_.tag = RETORT_TAG_TEXT;
    value_.count = static_cast<int64_t>(text.size());
    value_.as.text = text.data();
  }
  Value(const Ints& list) {
    value_.tag = RETORT_TAG_INTS;
    value_.count = static_cast<int64_t>(list.size());
    value_.as.integers = list.data();
  }
  Value(const Shape& shape) : Value(Ints(shape)) {}
  Value(const std::vector<int64_t>& list) : Value(Ints(list)) {}
  Value(const std::vector<double>& list) {
    value_.tag = RETORT_TAG_REALS;
    value_.count = static_cast<int64_t>(list.size());
    value_.as.reals = list.data();
  }
  Value(const Tensors& list) {
    value_.tag = RETORT_TAG_TENSORS;
    value_.count = static_cast<int64_t>(list.size());
    value_.as.values = list.values();
  }
  Value(const std::vector<Tensor>& list) : Value(Tensors(list)) {}
  template <class T>
  Value(const std::optional<T>& maybe) : Value(maybe ? Value(*maybe) : Value()) {}

  const retort_value& value() const { return value_; }

 private:
  retort_value value_{};
};

/// An ATen operator by name. Find it once, call it often:
///   static const Operator sinc("aten::sinc");
///   Tensor y = sinc(x);
/// Operators that ops.hpp wraps are part of the contract; list any other in the declaration:
/// uses("aten::sinc").
/// Inputs:  arguments in the order of ATen's schema; trailing ones with a default may be left out.
/// Throws:  Error with code RETORT_NO_OPERATOR when the host's LibTorch has none of that name;
///          Error with code RETORT_OPERATOR_FAILED and LibTorch's reason when a call fails.
class Operator {
 public:
  __attribute__((noinline)) explicit Operator(const char* name, const char* overload = "") {
    detail::Failure failure;
    detail::check(detail::host().find_op(name, overload, &op_, &failure));
  }

  /// The one tensor it returns.
  template <class... Arguments>
  Tensor operator()(const Arguments&... arguments) const {
    const Value values[] = {Value(arguments)...};
    return one(values, sizeof...(arguments));
  }
  __attribute__((noinline)) Tensor one(const Value* arguments, size_t count) const {
    retort_value result{};
    call(arguments, count, &result, 1);
    return Tensor::adopt(result.tag == RETORT_TAG_TENSOR ? result.as.tensor : nullptr);
  }
  template <size_t N>
  Tensor one(const Value (&arguments)[N]) const {
    return one(arguments, N);
  }
  /// All tensors it returns, a list laid out flat.
  template <size_t N>
  std::vector<Tensor> many(const Value (&arguments)[N], size_t expected) const {
    std::vector<Tensor> results(expected);
    const int64_t count = call(arguments, N, values_of(results), expected);
    results.resize(static_cast<size_t>(count));
    return results;
  }

 private:
  static retort_value* values_of(std::vector<Tensor>& tensors) {
    return reinterpret_cast<retort_value*>(tensors.data());
  }
  int64_t call(const Value* arguments, size_t count, retort_value* results, size_t capacity) const {
    static_assert(sizeof(Value) == sizeof(retort_value));
    const auto* values = reinterpret_cast<const retort_value*>(arguments);
    detail::require_given(values, count);
    int64_t result_count = 0;
    detail::Failure failure;
    detail::check(detail::host().call(op_, values, static_cast<int64_t>(count), results,
                                      static_cast<int64_t>(capacity), &result_count, &failure));
    return result_count;
  }

  retort_op op_ = nullptr;
};

/// Switches gradient recording off while it lives.
class NoGrad {
 public:
  NoGrad() : previous_(detail::host().grad_mode(0)) {}
  ~NoGrad() { detail::host().grad_mode(previous_); }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  int32_t previous_;
};

RETORT_END_NAMESPACE
