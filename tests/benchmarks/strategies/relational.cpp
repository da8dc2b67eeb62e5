#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/smooth_l1_loss.h>

#include <cmath>

#include "tests/benchmarks/strategies/direct.hpp"

namespace retort::bench {
namespace {

Direct cc(const Own& own) {
  return [student = own.linear("student0"), teacher = own.linear("teacher0")](const Batch& batch) {
    const at::Tensor apart =
        at::abs(student(batch.student.features[0]) - teacher(batch.teacher.features[0]));
    const int64_t pairs = apart.size(0) - 1;
    return (apart.narrow(0, 0, pairs) * apart.narrow(0, 1, pairs)).sum(1).mean();
  };
}

/// Layers 0, 2 and 4 of a Sequential, each with its leaky ReLU.
Layer leaky(const std::vector<Layer>& layers) {
  return [layers](at::Tensor x) {
    for (const Layer& layer : layers) x = at::leaky_relu(layer(x), 0.1);
    return x;
  };
}

Direct kta(const Own& own) {
  std::vector<Layer> encoder, decoder;
  for (const std::string layer : {"0", "2", "4"}) {
    encoder.push_back(own.conv("paraphraser0.encoder." + layer, 1));
    decoder.push_back(own.conv_transpose("paraphraser0.decoder." + layer, 1));
  }
  return [encode = leaky(encoder), decode = leaky(decoder),
          adapt = own.conv("adapter0", 1)](const Batch& batch) {
    const at::Tensor& map = batch.teacher.features[0];
    const at::Tensor code = encode(map), error = at::mse_loss(decode(code), map);
    const at::Tensor s = normalize(adapt(batch.student.features[0]).flatten(2), 2);
    const at::Tensor t = normalize(code.detach().flatten(2), 2);
    // ||s s^T - t t^T|| of unit vectors
    const at::Tensor distances = (s - t).norm(2, {2}) * (s + t).norm(2, {2}) / std::sqrt(2.);
    return distances.sum(1).mean() / s.size(2) + (error - error.detach());
  };
}

at::Tensor neighbours(const at::Tensor& x) {
  const at::Tensor rows = x / (x.norm(2, {1}, true) + 1e-7);
  const at::Tensor similar = (at::mm(rows, rows.t()) + 1) / 2;
  return similar / similar.sum(1, true);
}

Direct pkt(const Own&) {
  return [](const Batch& batch) {
    const at::Tensor student = neighbours(batch.student.features[0]);
    const at::Tensor teacher = neighbours(batch.teacher.features[0]);
    return (teacher * ((teacher + 1e-7) / (student + 1e-7)).log()).mean();
  };
}

/// The authors' pdist, divided by its mean over the pairs.
at::Tensor distances(const at::Tensor& x) {
  const at::Tensor squares = x.square().sum(1), products = at::mm(x, x.t());
  const at::Tensor apart =
      at::clamp_min(squares.unsqueeze(1) + squares.unsqueeze(0) - 2 * products, 1e-12).sqrt();
  const at::Tensor pairs = apart - apart.diag().diag();
  const int64_t n = x.size(0);
  return pairs / (pairs.sum() / (n * (n - 1)));
}

at::Tensor angles(const at::Tensor& x) {
  const at::Tensor units = normalize(x.unsqueeze(0) - x.unsqueeze(1), 2);
  return at::bmm(units, units.transpose(1, 2));
}

Direct rkd(const Own&) {
  return [](const Batch& batch) {
    const at::Tensor &student = batch.student.features[0], &teacher = batch.teacher.features[0];
    return 25 * at::smooth_l1_loss(distances(student), distances(teacher)) +
           50 * at::smooth_l1_loss(angles(student), angles(teacher));
  };
}

at::Tensor similarities(const at::Tensor& map) {
  const at::Tensor rows = map.flatten(1);
  return normalize(at::mm(rows, rows.t()), 1);
}

Direct sp(const Own&) {
  return [](const Batch& batch) {
    return at::mse_loss(similarities(batch.student.features[0]),
                        similarities(batch.teacher.features[0]));
  };
}

}  // namespace

Directs relational_directs() {
  return {{"relational.cc", cc},
          {"relational.kta", kta},
          {"relational.pkt", pkt},
          {"relational.rkd", rkd},
          {"relational.sp", sp}};
}

}  // namespace retort::bench
