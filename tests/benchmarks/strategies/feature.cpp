#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/nan_to_num.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/upsample_nearest2d.h>

#include <cmath>

#include "tests/benchmarks/strategies/direct.hpp"

namespace retort::bench {
namespace {

/// The sum over the pairs of taps.
template <class PairLoss>
Direct summed(const PairLoss& pair_loss) {
  return [pair_loss](const Batch& batch) {
    at::Tensor total;
    for (size_t i = 0; i < batch.student.features.size(); ++i) {
      const at::Tensor loss = pair_loss(i, batch.student.features[i], batch.teacher.features[i]);
      total = total.defined() ? total + loss : loss;
    }
    return total;
  };
}

struct Attention {
  std::vector<Layer> key_linears, key_norms, query_linears, query_norms;
  Layer bilinear, bilinear_norm;
  at::Tensor student_places, teacher_places;

  /// [N, T, S]
  at::Tensor operator()(const Batch& batch) const {
    std::vector<at::Tensor> keys, queries;
    for (size_t i = 0; i < key_linears.size(); ++i) {
      keys.push_back(at::relu(
          key_norms[i](key_linears[i](batch.student.features[i].mean(at::IntArrayRef{2, 3})))));
      queries.push_back(
          query_norms[i](query_linears[i](batch.teacher.features[i].mean(at::IntArrayRef{2, 3}))));
    }
    const at::Tensor key = at::stack(keys, 1), query = at::stack(queries, 1);
    const int64_t count = key.size(1), dim = key.size(2);
    const at::Tensor mapped = bilinear_norm(bilinear(key.flatten(0, 1)));
    const at::Tensor scores =
        at::einsum("bstq,btq->bts", {mapped.reshape({-1, count, count, dim}), query}) +
        at::mm(teacher_places, student_places.t());
    return at::softmax(scores / std::sqrt(static_cast<double>(dim)), 2);
  }
};

Attention attention_of(const Own& own, size_t taps) {
  Attention out;
  for (size_t i = 0; i < taps; ++i) {
    const std::string key = "attention.linear_trans_s.key_layer." + std::to_string(i);
    const std::string query = "attention.linear_trans_t.query_layer." + std::to_string(i);
    out.key_linears.push_back(own.linear(key + ".linear"));
    out.key_norms.push_back(own.batch_norm(key + ".bn"));
    out.query_linears.push_back(own.linear(query + ".linear"));
    out.query_norms.push_back(own.batch_norm(query + ".bn"));
  }
  out.bilinear = own.linear("attention.linear_trans_s.bilinear.linear");
  out.bilinear_norm = own.batch_norm("attention.linear_trans_s.bilinear.bn");
  out.student_places = own.tensor("attention.p_s");
  out.teacher_places = own.tensor("attention.p_t");
  return out;
}

Direct afd(const Own& own) {
  return [attention = attention_of(own, 3)](const Batch& batch) {
    const std::vector<at::Tensor> weights = attention(batch).unbind(1);
    std::vector<at::Tensor> energies;
    for (const at::Tensor& map : batch.student.features)
      energies.push_back(map.square().mean(1, true));
    at::Tensor total;
    for (size_t t = 0; t < weights.size(); ++t) {
      const at::Tensor energy = batch.teacher.features[t].square().mean(1, true);
      std::vector<at::Tensor> rows;
      for (const at::Tensor& student : energies)
        rows.push_back(at::adaptive_avg_pool2d(student, energy.sizes().slice(2)).flatten(1));
      const at::Tensor apart = normalize(at::stack(rows, 1), 2) -
                               normalize(energy.flatten(1), 1).unsqueeze(1);  // [N, S, H W]
      const at::Tensor loss = (apart.square().mean(2) * weights[t]).sum(1).mean();
      total = total.defined() ? total + loss : loss;
    }
    return total;
  };
}

Direct at_(const Own&) {
  return summed([](size_t, const at::Tensor& student, const at::Tensor& teacher) {
    const auto energy = [](const at::Tensor& map) {
      return normalize(map.pow(2).mean(1).flatten(1), 1);
    };
    return at::mse_loss(energy(student), energy(teacher));
  });
}

Direct cwd(const Own&) {
  return summed([](size_t, const at::Tensor& student, const at::Tensor& teacher) {
    const double temperature = 1;
    const auto attention = [&](const at::Tensor& map) {
      return at::log_softmax(map.flatten(2).flatten(0, 1) / temperature, 1);
    };
    return temperature * temperature * kl_batchmean(attention(student), attention(teacher));
  });
}

Direct fitnet(const Own& own) {
  return summed([conv = own.conv("regressor0.conv"), norm = own.batch_norm("regressor0.bn")](
                    size_t, const at::Tensor& student, const at::Tensor& teacher) {
    return at::mse_loss(at::relu(norm(conv(student))), teacher);
  });
}

Direct ickd(const Own& own) {
  return summed([conv = own.conv("embed0.conv"), norm = own.batch_norm("embed0.bn")](
                    size_t, const at::Tensor& student, const at::Tensor& teacher) {
    const auto relations = [](const at::Tensor& map) {
      const at::Tensor rows = map.flatten(2);
      return normalize(at::bmm(rows, rows.transpose(1, 2)), 2);
    };
    return at::mse_loss(relations(norm(conv(student))), relations(teacher), at::Reduction::Sum) /
           (teacher.size(0) * teacher.size(1));
  });
}

struct Leading {
  at::Tensor values, vectors;  // [N, count], [N, D, count]
};
Leading leading(const at::Tensor& map, int64_t count) {
  const at::Tensor matrix = at::nan_to_num(map, 0., 0., 0.).flatten(2).transpose(1, 2);
  const auto [u, s, vh] = at::linalg_svd(matrix, false);
  return {s.narrow(1, 0, count), vh.transpose(1, 2).narrow(2, 0, count)};
}

Direct kdsvd(const Own&) {
  return [](const Batch& batch) {
    at::Tensor total, last_student, last_teacher;
    for (size_t i = 0; i < batch.student.features.size(); ++i) {
      const Leading of_teacher = leading(batch.teacher.features[i], 1);
      const at::Tensor candidates = leading(batch.student.features[i], 4).vectors;  // [N, D, 4]
      const at::Tensor factor = normalize(of_teacher.values, 1).unsqueeze(1);       // [N, 1, 1]
      const at::Tensor cosines =
          at::bmm(candidates.detach().transpose(1, 2), of_teacher.vectors);  // [N, 4, 1]
      const at::Tensor nearest = cosines.abs().argmax(1, true);              // [N, 1, 1]
      const at::Tensor chosen = candidates.take_along_dim(nearest, 2);       // [N, D, 1]
      const at::Tensor student = chosen * cosines.gather(1, nearest).sign() * factor;
      const at::Tensor teacher = of_teacher.vectors * factor;
      if (i > 0) {
        const auto kernel = [](const at::Tensor& a, const at::Tensor& b) {
          return ((a.unsqueeze(2) - b.unsqueeze(1)).square() / -8).exp();
        };
        const at::Tensor loss = at::mse_loss(kernel(student, last_student),
                                             kernel(teacher, last_teacher), at::Reduction::Sum);
        total = total.defined() ? total + loss : loss;
      }
      last_student = student;
      last_teacher = teacher;
    }
    return total / batch.student.logits.size(0);
  };
}

Direct mgd(const Own& own) {
  return [first = own.conv("generation0.0", 1),
          second = own.conv("generation0.2", 1)](const Batch& batch) {
    const at::Tensor &student = batch.student.features[0], &teacher = batch.teacher.features[0];
    const auto given = batch.draws.find("mask");
    const at::Tensor draw = given != batch.draws.end()
                                ? given->second
                                : at::rand({student.size(0), 1, student.size(2), student.size(3)});
    const at::Tensor masked = student.masked_fill(draw > 1 - 0.65, 0);
    return at::mse_loss(second(at::relu(first(masked))), teacher, at::Reduction::Sum) /
           student.size(0);
  };
}

Direct nst(const Own&) {
  return summed([](size_t, const at::Tensor& student, const at::Tensor& teacher) {
    const auto kernel = [](const at::Tensor& a, const at::Tensor& b) {
      return at::bmm(a, b.transpose(1, 2)).square().mean();
    };
    const at::Tensor s = normalize(student.flatten(2), 2), t = normalize(teacher.flatten(2), 2);
    return kernel(t, t) + kernel(s, s) - 2 * kernel(s, t);
  });
}

Direct pad(const Own& own) {
  return summed(
      [linear = own.linear("var_estimator0.0"), norm = own.batch_norm("var_estimator0.1")](
          size_t, const at::Tensor& student, const at::Tensor& teacher) {
        const at::Tensor log_variance = norm(linear(student));
        return ((teacher - student).square() / (1e-6 + log_variance.exp()) + log_variance).mean();
      });
}

Direct pkd(const Own&) {
  return summed([](size_t, const at::Tensor& student, const at::Tensor& teacher) {
    const auto standard = [](const at::Tensor& map) {
      static const std::vector<int64_t> kDims = {0, 2, 3};
      return (map - map.mean(kDims, true)) / (map.std(kDims, true, true) + 1e-6);
    };
    return at::mse_loss(standard(student), standard(teacher)) / 2;
  });
}

/// The modules of one depth of review_kd.
struct Review {
  Layer conv1, norm1, conv2, norm2, attention;  // attention: not of the deepest
};

at::Tensor resized(const at::Tensor& map, at::IntArrayRef size) {
  return map.sizes().slice(2) == size ? map : at::upsample_nearest2d(map, size);
}

at::Tensor pyramid_distance(const at::Tensor& student, const at::Tensor& teacher) {
  at::Tensor total = at::mse_loss(student, teacher);
  double weight = 1, sum = 1;
  for (const int64_t side : {4, 2, 1}) {
    if (side >= student.size(2)) continue;
    weight /= 2;
    sum += weight;
    total = total + weight * at::mse_loss(at::adaptive_avg_pool2d(student, {side, side}),
                                          at::adaptive_avg_pool2d(teacher, {side, side}));
  }
  return total / sum;
}

Direct review_kd(const Own& own) {
  std::vector<Review> reviews;
  for (size_t depth = 0; depth < 4; ++depth) {
    const std::string name = "abfs." + std::to_string(depth);
    reviews.push_back({own.conv(name + ".conv1.0"), own.batch_norm(name + ".conv1.1"),
                       own.conv(name + ".conv2.0", 1), own.batch_norm(name + ".conv2.1"),
                       depth > 0 ? own.conv(name + ".att_conv.0") : Layer()});
  }
  return [reviews](const Batch& batch) {
    const auto as_map = [](const at::Tensor& tap) {
      return tap.dim() == 2 ? tap.unsqueeze(2).unsqueeze(3) : tap;
    };
    at::Tensor total, fused;
    size_t tap = reviews.size();
    for (const Review& review : reviews) {
      const at::Tensor teacher = as_map(batch.teacher.features[--tap]);
      at::Tensor map = review.norm1(review.conv1(as_map(batch.student.features[tap])));
      if (fused.defined()) {
        const at::Tensor deeper = resized(fused, map.sizes().slice(2));
        const at::Tensor weights = at::sigmoid(review.attention(at::cat({map, deeper}, 1)));
        map = map * weights.narrow(1, 0, 1) + deeper * weights.narrow(1, 1, 1);
      }
      fused = resized(map, teacher.sizes().slice(2));
      const at::Tensor loss = pyramid_distance(review.norm2(review.conv2(fused)), teacher);
      total = total.defined() ? total + loss : loss;
    }
    return total;
  };
}

Direct srd(const Own& own) {
  return [embed = own.linear("embed0")](const Batch& batch) {
    const auto standard = [](const at::Tensor& x) {
      return at::batch_norm(x, {}, {}, {}, {}, true, 0.1, 1e-4, false);
    };
    const at::Tensor apart =
        at::abs(standard(embed(batch.student.features[0])) - standard(batch.teacher.features[0]));
    return 2 * apart.pow(4).sum().log() + kl_batchmean(at::log_softmax(batch.student.logits, 1),
                                                       at::log_softmax(batch.teacher.logits, 1));
  };
}

Direct vid(const Own& own) {
  std::vector<Layer> regressors;
  std::vector<at::Tensor> scales;
  for (const std::string tap : {"0", "1", "2"}) {
    const std::string name = "regressors." + tap;
    regressors.push_back([first = own.conv(name + ".0"), second = own.conv(name + ".2"),
                          third = own.conv(name + ".4")](const at::Tensor& x) {
      return third(at::relu(second(at::relu(first(x)))));
    });
    scales.push_back(own.tensor("log_scales." + tap));
  }
  return summed(
      [regressors, scales](size_t i, const at::Tensor& student, const at::Tensor& teacher) {
        const at::Tensor variance = (at::softplus(scales[i]) + 1e-5).reshape({1, -1, 1, 1});
        const at::Tensor misses = (regressors[i](student) - teacher).square();
        return (0.5 * (misses / variance + variance.log())).mean();
      });
}

}  // namespace

Directs feature_directs() {
  return {{"feature.afd", afd},
          {"feature.at", at_},
          {"feature.cwd", cwd},
          {"feature.fitnet", fitnet},
          {"feature.ickd", ickd},
          {"feature.kdsvd", kdsvd},
          {"feature.mgd", mgd},
          {"feature.nst", nst},
          {"feature.pad", pad},
          {"feature.pkd", pkd},
          {"feature.review_kd", review_kd},
          {"feature.srd", srd},
          {"feature.vid", vid}};
}

}  // namespace retort::bench
