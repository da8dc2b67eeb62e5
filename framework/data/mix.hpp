#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "framework/data/random_erasing.hpp"

namespace retort::host {

/// Which mixing the batches of a run get. An alpha of 0: not this one.
struct MixConfig {
  double mixup = 0;   // alpha of Beta(alpha, alpha)
  double cutmix = 0;  // alpha; with both, each batch gets one or the other by a coin
};

/// How one batch is mixed: each image i with its neighbour i - 1 (the first with the last), which
/// is a random pairing, because the order of the samples is random.
struct Mix {
  enum class Kind { None, Mixup, Cutmix } kind = Kind::None;
  double lambda = 1;  // the part of each image that is its own
  Box box;            // Cutmix: what is pasted from the neighbour
};

/// Draws the mixing of a batch, a function of (seed, epoch, batch) alone.
///   mixup   lambda = max(l, 1 - l) with l from Beta(alpha, alpha): a pair is mixed alike from
///           either side, so the image's own part can be the larger one
///   cutmix  a box of sqrt(1 - l) times each side around a uniform centre, cut off at the border;
///           lambda = 1 - (its area) / (the image's area), which may be less than 1/2
/// Source:  Zhang et al. 2018, arXiv:1710.09412; Yun et al. 2019, arXiv:1905.04899, algorithm A1.
Mix draw_mix(const MixConfig& config, uint64_t seed, int64_t epoch, int64_t batch, int64_t height,
             int64_t width);

/// Mixes images [N * times, C, H, W] float32 in place, of which each sample has `times` one after
/// the other: each with the neighbour's at the same place. They are dense, plain or channels-last.
void mix_images(const Mix& mix, const at::Tensor& images, int64_t times = 1);

}  // namespace retort::host
