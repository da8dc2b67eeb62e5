#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "framework/train/evaluate.hpp"

namespace retort::host {

/// Whether a network may have guessed: whether predictions that know nothing of the images could well
/// be right this often. True where one of two tests does not rule it out:
///   - the same predictions dealt out to the images at random, at the level of 1 %. They keep how often each class is
///     predicted and how often it is a label, so always naming the commonest class is a guess,
///     however right. z = (correct - 0.5 - E) / sd, with E and sd over all permutations.
///   - the same network with its outputs in another order, which is what random weights give: a
///     network that tells the classes apart and names them wrongly is right for one class or the
///     other by luck. At the level of 5 %, for at most 2.5 times 1 / classes right, from 4 classes on.
/// False for one class, for labels of one class alone, and where every prediction is right.
/// Source:  ours; the moments of the trace of a table with fixed margins (Cohen 1960, Everitt 1968)
///          and of a permutation statistic (Hoeffding 1951).
/// Inputs:  an evaluation with its predictions; labels [samples] int64 on the CPU.
bool may_be_guessing(const Evaluation& evaluation, const at::Tensor& labels);

}  // namespace retort::host
