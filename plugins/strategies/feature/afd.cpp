#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// bn(linear(x)) of rows [N, in] -> [N, out].
class LinearNorm {
 public:
  LinearNorm() = default;
  LinearNorm(const Builder& builder, int64_t in, int64_t out)
      : linear_(builder.in("linear"), in, out), norm_(builder.in("bn"), out) {}
  Tensor operator()(const Tensor& x) const { return norm_(linear_(x)); }

 private:
  nn::Linear linear_;
  nn::BatchNorm norm_;
};

/// Mean square over the channels: [N, C, H, W] -> [N, 1, H, W].
Tensor energy(const Tensor& map) { return mean(square(map), 1, true); }

/// Pairs the student's layers with the teacher's by learnt attention, and makes the student look
/// where the teacher looks in the pairs that matter.
///   query_t = bn(W_t gap(f_t));  key_s = relu(bn(W_s gap(f_s)));  [B_1 key_s, ...] = bn(W key_s)
///   a[n, t, .] = softmax_s((B_t key_s . query_t + p_t . p_s) / sqrt(dim))
///   v       = flatten(mean_c f^2) / norm, the student's averaged to the teacher's size before
///   loss    = sum_t mean_n sum_s a[n, t, s] mean((v_s - v_t)^2)
/// Source:  Ji et al. 2021, arXiv:2102.02973, section 3, and the authors' code.
/// Inputs:  student.features [N, Cs, Hs, Ws] each, requires grad; teacher.features
///          [N, Ct, Ht, Wt]; N >= 2.
/// Output:  [] float32, >= 0.
/// Params:  dim  >= 1, default 128, numbers in a query or key.
/// Throws:  ShapeError at set-up for taps that are no feature maps, and a teacher's of one pixel.
/// Differs: the authors bind the output of every residual block; the default here is every stage.
///          They take any number of layers on either side; the host binds taps in pairs, and refuses
///          a student with more or fewer than the teacher.
class Afd final : public Strategy {
 public:
  struct Options {
    int64_t dim = 128;
  } options;

  void setup(Setup& setup) override {
    const std::vector<Shape>&student = setup.student.features, &teacher = setup.teacher.features;
    const auto count = static_cast<int64_t>(teacher.size());
    const Builder attention = setup.in("attention");
    const Builder of_student = attention.in("linear_trans_s");
    const Builder of_teacher = attention.in("linear_trans_t");
    for (size_t i = 0; i < teacher.size(); ++i) {
      require_maps(student[i], teacher[i]);
      if (teacher[i][2] * teacher[i][3] == 1) {
        throw ShapeError(message(
            "compares the student's feature maps at the size of the teacher's ", teacher[i].text(),
            ", one pixel, where the loss can only be 0; ", kBindLargerMaps));
      }
      keys_.emplace_back(of_student.in(message("key_layer.", i)), student[i][1], options.dim);
      queries_.emplace_back(of_teacher.in(message("query_layer.", i)), teacher[i][1], options.dim);
    }
    bilinear_ = LinearNorm(of_student.in("bilinear"), options.dim, options.dim * count);
    places_s_ = attention.parameter("p_s", {count, options.dim}, init::xavier_normal());
    places_t_ = attention.parameter("p_t", {count, options.dim}, init::xavier_normal());
  }

  Tensor loss(const Step& step) override {
    const std::vector<Tensor> weights = unbind(attention(step), 1);  // [N, S] a layer t
    std::vector<Tensor> energies;
    for (const Tensor& map : step.student.features) energies.push_back(energy(map));
    Tensor total;
    for (size_t t = 0; t < weights.size(); ++t) {
      const Tensor distances = distances_to(step.teacher.features[t], energies);  // [N, S]
      total += mean(sum(distances * weights[t], 1));
    }
    return total;
  }

 private:
  /// How much each student layer counts for each teacher layer: [N, T, S], 1 in sum over S.
  Tensor attention(const Step& step) const {
    std::vector<Tensor> keys, queries;
    for (size_t i = 0; i < keys_.size(); ++i) {
      keys.push_back(relu(keys_[i](global_avg_pool2d(step.student.features[i]))));
      queries.push_back(queries_[i](global_avg_pool2d(step.teacher.features[i])));
    }
    const auto count = static_cast<int64_t>(keys.size());
    const int64_t dim = options.dim;
    const Tensor rows = reshape(stack(keys, 1), {-1, dim});                   // [N S, dim]
    const Tensor mapped = reshape(bilinear_(rows), {-1, count, count, dim});  // [N, S, T, dim]
    const Tensor scores =
        einsum("bstq,btq->bts", {mapped, stack(queries, 1)}) + mm(places_t_, t(places_s_));
    return softmax(scores / detail::root(static_cast<double>(dim)), 2);
  }

  /// Of each student layer's energy to the teacher's: [N, S].
  static Tensor distances_to(const Tensor& map, const std::vector<Tensor>& energies) {
    const Shape shape = map.shape();
    const Tensor teacher = unsqueeze(normalize(flatten(energy(map), 1)), 1);  // [N, 1, H W]
    std::vector<Tensor> rows;
    for (const Tensor& student : energies)
      rows.push_back(flatten(adaptive_avg_pool2d(student, {shape[2], shape[3]}), 1));
    return mean(square(normalize(stack(rows, 1), 2, 2) - teacher), 2);
  }

  std::vector<LinearNorm> keys_, queries_;
  LinearNorm bilinear_;
  Tensor places_s_, places_t_;  // [S, dim], [T, dim]
};

}  // namespace

RETORT_STRATEGY(Afd, "feature.afd", "1.0.0", "Attention over layers (Ji 2021)", binds("stages"),
                batch(2), paper("Ji et al. 2021, arXiv:2102.02973"), verified("the authors' code"),
                licence("MIT"),
                option("dim", &Afd::Options::dim).at_least(1).help("numbers in a query or key"))
