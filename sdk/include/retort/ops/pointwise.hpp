#pragma once

#include "retort/tensor.hpp"

// Element by element, with broadcasting. Every function here is the ATen operator of its name
// (comparisons and operators by their usual one), with ATen's argument order and defaults.

RETORT_BEGIN_NAMESPACE

#define RETORT_UNARY_OP(name)                 \
  inline Tensor name(const Tensor& self) {    \
    static const Operator op("aten::" #name); \
    return op.one({self});                    \
  }
RETORT_UNARY_OP(abs)
RETORT_UNARY_OP(cos)
RETORT_UNARY_OP(detach)
RETORT_UNARY_OP(erf)
RETORT_UNARY_OP(exp)
RETORT_UNARY_OP(expm1)
RETORT_UNARY_OP(floor)
RETORT_UNARY_OP(isfinite)
RETORT_UNARY_OP(log)
RETORT_UNARY_OP(log1p)
RETORT_UNARY_OP(log_sigmoid)
RETORT_UNARY_OP(logical_not)
RETORT_UNARY_OP(neg)
RETORT_UNARY_OP(reciprocal)
RETORT_UNARY_OP(relu)
RETORT_UNARY_OP(round)
RETORT_UNARY_OP(rsqrt)
RETORT_UNARY_OP(sigmoid)
RETORT_UNARY_OP(sign)
RETORT_UNARY_OP(silu)
RETORT_UNARY_OP(sin)
RETORT_UNARY_OP(sqrt)
RETORT_UNARY_OP(tanh)
#undef RETORT_UNARY_OP

#define RETORT_BINARY_OP(name)                                  \
  inline Tensor name(const Tensor& self, const Tensor& other) { \
    static const Operator op("aten::" #name, "Tensor");         \
    return op.one({self, other});                               \
  }                                                             \
  inline Tensor name(const Tensor& self, double other) {        \
    static const Operator op("aten::" #name, "Scalar");         \
    return op.one({self, other});                               \
  }
RETORT_BINARY_OP(add)
RETORT_BINARY_OP(div)
RETORT_BINARY_OP(eq)
RETORT_BINARY_OP(ge)
RETORT_BINARY_OP(gt)
RETORT_BINARY_OP(le)
RETORT_BINARY_OP(lt)
RETORT_BINARY_OP(mul)
RETORT_BINARY_OP(ne)
RETORT_BINARY_OP(sub)
#undef RETORT_BINARY_OP

#define RETORT_BINARY_OP(name)                                  \
  inline Tensor name(const Tensor& self, const Tensor& other) { \
    static const Operator op("aten::" #name);                   \
    return op.one({self, other});                               \
  }
RETORT_BINARY_OP(logical_and)
RETORT_BINARY_OP(logical_or)
RETORT_BINARY_OP(maximum)
RETORT_BINARY_OP(minimum)
#undef RETORT_BINARY_OP

// Of a temporary the memory is reused: relu(bn(conv(x))) touches one tensor less. The result is the
// same.
inline Tensor relu(Tensor&& self) {
  static const Operator op("aten::relu");
  return op.one({Value::last_use(self)});
}
inline Tensor add(Tensor&& self, const Tensor& other) {
  static const Operator op("aten::add", "Tensor");
  return op.one({Value::last_use(self), other});
}

/// self ^ exponent.
inline Tensor pow(const Tensor& self, double exponent) {
  static const Operator op("aten::pow", "Tensor_Scalar");
  return op.one({self, exponent});
}
inline Tensor pow(const Tensor& self, const Tensor& exponent) {
  static const Operator op("aten::pow", "Tensor_Tensor");
  return op.one({self, exponent});
}
inline Tensor square(const Tensor& self) { return mul(self, self); }

/// other - self.
inline Tensor rsub(const Tensor& self, double other) {
  static const Operator op("aten::rsub", "Scalar");
  return op.one({self, other});
}

/// The gradient is zero where the bound takes over.
inline Tensor clamp(const Tensor& self, std::optional<double> min, std::optional<double> max = {}) {
  static const Operator op("aten::clamp");
  return op.one({self, min, max});
}
inline Tensor clamp_min(const Tensor& self, double min) {
  static const Operator op("aten::clamp_min");
  return op.one({self, min});
}
inline Tensor clamp_max(const Tensor& self, double max) {
  static const Operator op("aten::clamp_max");
  return op.one({self, max});
}
inline Tensor elu(const Tensor& self, double alpha = 1) {
  static const Operator op("aten::elu");
  return op.one({self, alpha});
}
inline Tensor gelu(const Tensor& self, std::string_view approximate = "none") {
  static const Operator op("aten::gelu");
  return op.one({self, approximate});
}
inline Tensor hardtanh(const Tensor& self, double min = -1, double max = 1) {
  static const Operator op("aten::hardtanh");
  return op.one({self, min, max});
}
inline Tensor leaky_relu(const Tensor& self, double negative_slope = 0.01) {
  static const Operator op("aten::leaky_relu");
  return op.one({self, negative_slope});
}
/// log(1 + exp(beta x)) / beta; linear above `threshold`, so nothing overflows.
inline Tensor softplus(const Tensor& self, double beta = 1, double threshold = 20) {
  static const Operator op("aten::softplus");
  return op.one({self, beta, threshold});
}

/// condition ? self : other.
inline Tensor where(const Tensor& condition, const Tensor& self, const Tensor& other) {
  static const Operator op("aten::where", "self");
  return op.one({condition, self, other});
}
inline Tensor masked_fill(const Tensor& self, const Tensor& mask, double value) {
  static const Operator op("aten::masked_fill", "Scalar");
  return op.one({self, mask, value});
}
inline Tensor to(const Tensor& self, Dtype dtype) {
  static const Operator op("aten::to", "dtype");
  return op.one({self, dtype});
}

inline Tensor operator-(const Tensor& a) { return neg(a); }
/// Adds up terms: an undefined tensor plus a term is the term.
inline Tensor& operator+=(Tensor& total, const Tensor& term) {
  return total = total.defined() ? add(total, term) : term;
}
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator+(Tensor&& a, const Tensor& b) { return add(std::move(a), b); }
inline Tensor operator+(const Tensor& a, double b) { return add(a, b); }
inline Tensor operator+(double a, const Tensor& b) { return add(b, a); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator-(const Tensor& a, double b) { return sub(a, b); }
inline Tensor operator-(double a, const Tensor& b) { return rsub(b, a); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator*(const Tensor& a, double b) { return mul(a, b); }
inline Tensor operator*(double a, const Tensor& b) { return mul(b, a); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator/(const Tensor& a, double b) { return div(a, b); }
inline Tensor operator/(double a, const Tensor& b) { return mul(reciprocal(b), a); }
inline Tensor operator==(const Tensor& a, const Tensor& b) { return eq(a, b); }
inline Tensor operator==(const Tensor& a, double b) { return eq(a, b); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return ne(a, b); }
inline Tensor operator!=(const Tensor& a, double b) { return ne(a, b); }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return lt(a, b); }
inline Tensor operator<(const Tensor& a, double b) { return lt(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return le(a, b); }
inline Tensor operator<=(const Tensor& a, double b) { return le(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return gt(a, b); }
inline Tensor operator>(const Tensor& a, double b) { return gt(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return ge(a, b); }
inline Tensor operator>=(const Tensor& a, double b) { return ge(a, b); }
inline Tensor operator&&(const Tensor& a, const Tensor& b) { return logical_and(a, b); }
inline Tensor operator||(const Tensor& a, const Tensor& b) { return logical_or(a, b); }
inline Tensor operator!(const Tensor& a) { return logical_not(a); }

RETORT_END_NAMESPACE
