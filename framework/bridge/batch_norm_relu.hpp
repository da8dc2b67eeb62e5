#pragma once

namespace retort::host {

/// Registers the host's own operator with LibTorch, once:
///   retort::batch_norm_relu(Tensor input, Tensor weight, Tensor bias, Tensor running_mean,
///                           Tensor running_var, bool training, float momentum, float eps,
///                           Tensor? other) -> Tensor
///   relu(batch_norm(input) + other)
/// On the CPU, in evaluation and without gradients it reads and writes each number once, where the
/// three operators pass over memory three times. The result has their bits wherever the processor
/// multiplies and adds in one rounding (AVX2, AVX-512), as LibTorch's own kernels then do.
void register_batch_norm_relu();

}  // namespace retort::host
