#include "framework/train/evaluate.hpp"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>

namespace retort::host {

Accuracy evaluate(Network& network, const ImageData& data, const ViewMaker& views,
                  int64_t batch_size, EvalSplit split) {
  const c10::NoGradGuard without_gradients;
  const at::Device device = network.placement().device;
  // Counted on the device, so that the host waits once.
  at::Tensor correct = at::zeros({}, at::TensorOptions().dtype(at::kLong).device(device));
  const int64_t size = data.size(split);
  for (int64_t first = 0; first < size; first += batch_size) {
    const int64_t count = std::min(batch_size, size - first);
    const at::Tensor images = views.test_views(first, count, split).to(device);
    const at::Tensor labels = data.labels(split, first, count).to(device);
    correct.add_(network.forward(images, {}, false).logits.argmax(1).eq(labels).sum());
  }
  return {correct.item().toLong(), size};
}

}  // namespace retort::host
