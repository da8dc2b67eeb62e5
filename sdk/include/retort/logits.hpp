#pragma once

#include "retort/ops.hpp"

// What several strategies do with logits before they compare them.

RETORT_BEGIN_NAMESPACE

/// Each sample's logits with mean 0 and standard deviation 1, so that only their order and relative
/// distances count.
///   (z - mean(z)) / (1e-7 + std(z)) over the classes, std with C - 1
/// Source:  Sun et al. 2024 (logit standardisation), arXiv:2403.01427, eq. 9; 1e-7 as their code.
/// Inputs:  logits [N, C], finite, C >= 2; of two classes only the order is left (kOrderIsLeft).
inline Tensor standardize(const Tensor& logits) {
  return (logits - mean(logits, {-1}, true)) / (std(logits, {-1}, 1, true) + 1e-7);
}

/// Set-up's warning for standardised logits of two classes.
inline constexpr const char* kOrderIsLeft =
    "with 2 classes, standardised logits tell only which class is the likelier one: the loss has "
    "no gradient to speak of, and the student learns nothing from it";

/// The classes that a network excludes, as a mask does: their logit is -inf, their probability 0.
inline Tensor is_excluded(const Tensor& logits) { return logits == -__builtin_inf(); }

/// The logit of each sample's own class: logits [N, C], labels [N] -> [N, 1].
inline Tensor target_logit(const Tensor& logits, const Tensor& labels) {
  return gather(logits, 1, unsqueeze(labels, 1));
}

/// The logits of the other classes, in their order: logits [N, C], labels [N] -> [N, C - 1]. They
/// are picked, not masked: no large number stands for "not this class".
inline Tensor other_logits(const Tensor& logits, const Tensor& labels) {
  const Tensor places = unsqueeze(arange(logits.size(1) - 1), 0);       // [1, C - 1]
  return gather(logits, 1, places + (places >= unsqueeze(labels, 1)));  // steps over the label
}

/// For set-up: refuses logits of a single class.
/// Throws:  ShapeError.
RETORT_COLD inline void require_classes(const Shape& logits) {
  if (logits[-1] >= 2) return;
  throw ShapeError(message("the logits ", logits.text(),
                           " have a single class, whose probability is always 1: there is nothing "
                           "to learn; take data with 2 classes or more"));
}

/// For set-up: refuses to compare the logits of networks with different classes, or of a single one.
/// Throws:  ShapeError.
inline void require_same_classes(const Shape& student, const Shape& teacher) {
  if (student == teacher) return require_classes(student);
  throw ShapeError(message("the student's logits are ", student.text(), " and the teacher's ",
                           teacher.text(), "; distil between networks of the same classes"));
}

RETORT_END_NAMESPACE
