#pragma once

#include "retort/ops.hpp"

// What several strategies do with logits before they compare them.

RETORT_BEGIN_NAMESPACE

/// Each sample's logits with mean 0 and standard deviation 1, so that only their order and relative
/// distances count.
///   (z - mean(z)) / (1e-7 + std(z)) over the classes, std with C - 1
/// Source:  Sun et al. 2024 (logit standardisation), arXiv:2403.01427, eq. 9; 1e-7 as their code.
/// Inputs:  logits [N, C], C >= 2.
inline Tensor standardize(const Tensor& logits) {
  return (logits - mean(logits, {-1}, true)) / (std(logits, {-1}, 1, true) + 1e-7);
}

RETORT_END_NAMESPACE
