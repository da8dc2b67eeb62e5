#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cov.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <numbers>

#include "tests/benchmarks/strategies/direct.hpp"

namespace retort::bench {
namespace {

/// A formula of the student's and the teacher's logits alone.
template <class Formula>
Direct of_logits(const Formula& formula) {
  return
      [formula](const Batch& batch) { return formula(batch.student.logits, batch.teacher.logits); };
}

at::Tensor soft_targets(const at::Tensor& student, const at::Tensor& teacher, double t) {
  return t * t * kl_batchmean(at::log_softmax(student / t, 1), at::log_softmax(teacher / t, 1));
}

Direct ctkd(const Own& own) {
  return [theta = own.tensor("theta")](const Batch& batch) {
    const double strength = 0.5 * (1 + std::cos(std::numbers::pi / 10)) - 1;  // of epoch 1
    const at::Tensor held = theta.detach();
    const at::Tensor t = 1 + 20 * at::sigmoid(held + strength * (theta - held));
    return kl_batchmean(at::log_softmax(batch.student.logits / t, 1),
                        at::log_softmax(batch.teacher.logits / t, 1)) *
           t * t;
  };
}

Direct dist(const Own&) {
  return of_logits([](const at::Tensor& student, const at::Tensor& teacher) {
    const double beta = 1, gamma = 1, temperature = 1;
    const auto relation = [](const at::Tensor& x, const at::Tensor& y) {
      const at::Tensor a = x - x.mean(1, true), b = y - y.mean(1, true);
      return 1 - ((a * b).sum(1) / (a.norm(2, 1) * b.norm(2, 1) + 1e-8)).mean();
    };
    const at::Tensor s = at::softmax(student / temperature, 1);
    const at::Tensor t = at::softmax(teacher / temperature, 1);
    const double scale = temperature * temperature;
    return scale * beta * relation(s, t) + scale * gamma * relation(s.t(), t.t());
  });
}

/// As the authors have it: the class is hidden by -1000.
Direct dkd(const Own&) {
  return [](const Batch& batch) {
    const at::Tensor own =
        at::zeros_like(batch.student.logits).scatter_(1, batch.labels.unsqueeze(1), 1);
    const auto binary = [&](const at::Tensor& logits) {
      const at::Tensor p = at::softmax(logits / 4, 1);
      return at::cat({(p * own).sum(1, true), (p * (1 - own)).sum(1, true)}, 1).log();
    };
    const auto others = [&](const at::Tensor& logits) {
      return at::log_softmax(logits / 4 - 1000 * own, 1);
    };
    const at::Tensor &student = batch.student.logits, &teacher = batch.teacher.logits;
    return 16 * kl_batchmean(binary(student), binary(teacher)) +
           8 * 16 * kl_batchmean(others(student), others(teacher));
  };
}

Direct kd(const Own&) {
  return of_logits([](const at::Tensor& student, const at::Tensor& teacher) {
    return soft_targets(student, teacher, 4);
  });
}

Direct lskd(const Own&) {
  return of_logits([](const at::Tensor& student, const at::Tensor& teacher) {
    const auto standard = [](const at::Tensor& z) {
      return (z - z.mean(1, true)) / (1e-7 + z.std(1, true, true));
    };
    return soft_targets(standard(student), standard(teacher), 2);
  });
}

Direct nkd(const Own&) {
  return [](const Batch& batch) {
    const at::Tensor &student = batch.student.logits, &teacher = batch.teacher.logits;
    const at::Tensor label = batch.labels.unsqueeze(1);
    const at::Tensor own =
        at::softmax(teacher, 1).gather(1, label) * at::log_softmax(student, 1).gather(1, label);
    const at::Tensor is_other = at::full_like(student, 1, at::kBool).scatter_(1, label, 0);
    const int64_t n = student.size(0);
    const double temperature = 1, gamma = 1.5;
    const auto others = [&](const at::Tensor& logits) {
      return logits.masked_select(is_other).reshape({n, -1}) / temperature;
    };
    const at::Tensor cross = at::softmax(others(teacher), 1) * at::log_softmax(others(student), 1);
    return -own.mean() - gamma * temperature * temperature * cross.sum(1).mean();
  };
}

Direct skd(const Own&) {
  return of_logits([](const at::Tensor& student, const at::Tensor& teacher) {
    const auto cosines = [](const at::Tensor& z) {
      const at::Tensor rows = normalize(z, 1);
      return at::mm(rows, rows.t());
    };
    const at::Tensor d = cosines(student) - cosines(teacher);
    const at::Tensor spread = at::cov(d.t()) + 0.1 * at::eye(d.size(0));
    return (d * at::linalg_solve(spread, d.t()).t()).sum(1).sqrt().mean();
  });
}

Direct tf_kd(const Own&) {
  return [](const Batch& batch) {
    const at::Tensor& student = batch.student.logits;
    const at::Tensor target =
        at::full_like(student, 0.01 / static_cast<double>(student.size(1) - 1))
            .scatter_(1, batch.labels.unsqueeze(1), 0.99);
    return at::kl_div(at::log_softmax(student, 1), at::log_softmax(target / 20, 1),
                      at::Reduction::Mean, true);
  };
}

Direct ttm(const Own&) {
  return of_logits([](const at::Tensor& student, const at::Tensor& teacher) {
    return kl_batchmean(at::log_softmax(student, 1), at::log_softmax(0.1 * teacher, 1));
  });
}

Direct wsl(const Own&) {
  return [](const Batch& batch) {
    const at::Tensor &student = batch.student.logits, &teacher = batch.teacher.logits;
    const auto misfit = [&](const at::Tensor& logits) {
      return at::cross_entropy_loss(logits.detach(), batch.labels, {}, at::Reduction::None);
    };
    const at::Tensor weights =
        1 - (-(misfit(student) / (misfit(teacher) + 1e-7)).clamp_min(0)).exp();
    const at::Tensor soft = at::softmax(teacher / 2, 1) * at::log_softmax(student / 2, 1);
    return -4 * (weights * soft.sum(1)).mean();
  };
}

Direct wttm(const Own&) {
  return of_logits([](const at::Tensor& student, const at::Tensor& teacher) {
    const at::Tensor power = at::softmax(teacher, 1).pow(0.2);
    const at::Tensor u = power.sum(1, true);
    const at::Tensor divergence =
        at::kl_div(at::log_softmax(student, 1), power / u, at::Reduction::None);
    return (u * divergence.sum(1, true)).mean();
  });
}

}  // namespace

Directs logits_directs() {
  return {{"logits.ctkd", ctkd}, {"logits.dist", dist},   {"logits.dkd", dkd},
          {"logits.kd", kd},     {"logits.lskd", lskd},   {"logits.nkd", nkd},
          {"logits.skd", skd},   {"logits.tf_kd", tf_kd}, {"logits.ttm", ttm},
          {"logits.wsl", wsl},   {"logits.wttm", wttm}};
}

}  // namespace retort::bench
