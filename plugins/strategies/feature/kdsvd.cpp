#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// Squared singular values nearer to each other than this, in units of the largest, are one value
/// to float32.
constexpr double kMinGap = 1e-6;

/// 1 / gap; 0 where the gap is below what float32 resolves.
Tensor inverse_gap(const Tensor& gap, const Tensor& largest) {
  return masked_fill(reciprocal(gap), abs(gap) <= kMinGap * largest, 0);
}

/// The singular values of each sample's matrix X, largest first, and its vectors: constant.
struct Svd {
  Tensor values;  // [N, M, 1]
  Tensor left;    // [N, rows, M], of unit length
  Tensor right;   // [N, D, M], of unit length
};

Svd decompose(const Tensor& matrices) {
  const NoGrad no_grad;
  const std::vector<Tensor> usv = svd(matrices);
  return {unsqueeze(usv[1], 2), usv[0], transpose(usv[2], 1, 2)};
}

/// The right vectors of those numbers, [N, 1, K], with a gradient to the matrices: [N, D, K]. It is
/// that of perturbation theory: only the gaps to their own values enter, so equal ones elsewhere do
/// no harm, and a vector that is not determined has none.
///   dv = sum_m v_m (s v_m . dX'u + s_m u_m . dX v) / (s^2 - s_m^2) + (dX'u beside all v_m) / s
Tensor differentiable(const Tensor& numbers, const Svd& all, const Tensor& matrices) {
  const int64_t n = numbers.size(0), k = numbers.size(2), d = all.right.size(1);
  const Tensor vectors = gather(all.right, 2, expand(numbers, {n, d, k}));
  const Tensor values = gather(transpose(all.values, 1, 2), 2, numbers);  // [N, 1, K]
  const Tensor squares = square(values), largest = square(narrow(all.values, 1, 0, 1));
  const Tensor mapped = bmm(transpose(all.left, 1, 2), matrices);  // U'X
  const Tensor turned = mapped - detach(mapped);                   // U'dX, 0
  const Tensor rows = gather(turned, 1, expand(transpose(numbers, 1, 2), {n, k, d}));
  const Tensor pull = transpose(rows, 1, 2) * values;                      // [N, D, K]
  const Tensor pulled = bmm(transpose(all.right, 1, 2), pull);             // [N, M, K]
  const Tensor along = pulled + all.values * bmm(turned, vectors);         // [N, M, K]
  const Tensor gaps = inverse_gap(squares - square(all.values), largest);  // [N, M, K]
  const Tensor to_zero = inverse_gap(squares, largest);                    // [N, 1, K]
  return vectors + bmm(all.right, along * gaps - pulled * to_zero) + pull * to_zero;
}

/// For each of the teacher's vectors [N, D, K] the nearest of the student's `count` leading ones,
/// with the teacher's sign.
Tensor aligned(const Tensor& matrices, int64_t count, const Tensor& teacher) {
  const Svd all = decompose(matrices);
  const int64_t kept = count < all.values.size(1) ? count : all.values.size(1);
  const Tensor cosines = bmm(transpose(narrow(all.right, 2, 0, kept), 1, 2), teacher);
  const Tensor nearest = argmax(abs(cosines), 1, true);  // [N, 1, K]
  return differentiable(nearest, all, matrices) * sign(gather(cosines, 1, nearest));
}

/// How far each entry of one layer's vectors lies from each of the next's: [N, D, E, K].
Tensor kernel(const Tensor& vectors, const Tensor& previous) {
  return exp(square(unsqueeze(vectors, 2) - unsqueeze(previous, 1)) * (-1.0 / 8));
}

/// Makes the main direction of the student's maps turn from layer to layer as the teacher's does.
///   X    = each sample's map as a matrix with one column a channel (or one a column of pixels)
///   v_t  = the leading `vectors` right singular vectors of X_t times their singular values, these
///          divided by their norm;  v_s = for each v_t the one with the largest |cosine| of the
///          student's leading vectors + 3, with v_t's sign and factor
///   R    = exp(-(v[l]_i - v[l-1]_j)^2 / 8) for neighbouring taps l
///   loss = sum_l sum_ij (R_s - R_t)^2 / N
/// Source:  Lee et al. 2018, arXiv:1807.06819, section 3; columns = channels is the CRD authors'
///          code, width mdistiller's.
/// Inputs:  student.features [N, C, H, W] each, two or more, requires grad; teacher.features the
///          same with heights and widths (channels: C; width: W) of their own.
/// Output:  [] float32, >= 0; 0 where both agree.
/// Params:  vectors  >= 1, default 1.
///          columns  channels or width, default channels.
/// Throws:  ShapeError at set-up for taps that are no feature maps, whose columns differ in number,
///          or that have one column as their neighbour has; ConfigError for a single tap, and for
///          more vectors than a tap has.
/// Differs: where a number of a map is not finite the loss is NaN; the authors' code puts 0 in the
///          place of what its SVD makes of it. Vectors whose singular values float32 cannot tell
///          apart have no gradient between them; theirs is infinite or not a number.
class Kdsvd final : public Strategy {
 public:
  enum class Columns { Channels, Width };
  struct Options {
    int64_t vectors = 1;
    Columns columns = Columns::Channels;
  } options;

  void setup(Setup& setup) override {
    const std::vector<Shape>&student = setup.student.features, &teacher = setup.teacher.features;
    if (student.size() < 2) {
      throw ConfigError(message("compares neighbouring taps, and ", student.size(),
                                " is bound; bind two or more"));
    }
    for (size_t i = 0; i < student.size(); ++i) {
      require_columns(student[i], teacher[i]);
      if (i > 0 && columns(teacher[i]) == 1 && columns(teacher[i - 1]) == 1) {
        throw ShapeError(message("the neighbouring taps ", teacher[i - 1].text(), " and ",
                                 teacher[i].text(),
                                 " have one column each, whose direction is "
                                 "always the same, so the loss can only be 0; bind taps of more ",
                                 options.columns == Columns::Channels ? "channels" : "width"));
      }
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total, last_student, last_teacher;
    for (size_t i = 0; i < step.student.features.size(); ++i) {
      const Svd of_teacher = decompose(matrices(step.teacher.features[i]));
      const Tensor values = narrow(of_teacher.values, 1, 0, options.vectors);  // [N, K, 1]
      const Tensor vectors = narrow(of_teacher.right, 2, 0, options.vectors);  // [N, D, K]
      const Tensor weights = transpose(normalize(values), 1, 2);               // [N, 1, K]
      const Tensor teacher = vectors * weights;
      const Tensor student =
          aligned(matrices(step.student.features[i]), options.vectors + 3, vectors) * weights;
      if (i > 0) {
        total +=
            mse_loss(kernel(student, last_student), kernel(teacher, last_teacher), Reduction::Sum);
      }
      total += zero_if_finite(step.student.features[i]) + zero_if_finite(step.teacher.features[i]);
      last_student = student;
      last_teacher = teacher;
    }
    return total / static_cast<double>(step.student.features[0].size(0));
  }

 private:
  void require_columns(const Shape& student, const Shape& teacher) const {
    const bool channels = options.columns == Columns::Channels;
    require_maps(student, teacher);
    const int64_t rows = channels ? teacher[2] * teacher[3] : teacher[1] * teacher[2];
    if (columns(teacher) != columns(student)) {
      throw ShapeError(
          message("columns = \"", channels ? "channels" : "width", "\" cannot compare ",
                  student.text(), " (student) with ", teacher.text(), " (teacher); ",
                  channels ? "bind taps of as many channels, or set columns = \"width\""
                           : "bind taps of equal width"));
    }
    const int64_t count = columns(teacher) < rows ? columns(teacher) : rows;
    if (options.vectors > count) {
      throw ConfigError(message("vectors = ", options.vectors, "; the teacher's tap ",
                                teacher.text(), " has ", count,
                                " a sample; lower it, or bind another tap"));
    }
  }

  int64_t columns(const Shape& map) const {
    return options.columns == Columns::Channels ? map[1] : map[3];
  }

  /// [N, C, H, W] -> [N, rows, columns], finite: LAPACK refuses other numbers.
  Tensor matrices(const Tensor& map) const {
    static const Operator nan_to_num("aten::nan_to_num");
    const Tensor finite = nan_to_num(map, 0., 0., 0.);
    return options.columns == Columns::Channels ? transpose(flatten(finite, 2), 1, 2)
                                                : flatten(finite, 1, 2);
  }
};

}  // namespace

RETORT_STRATEGY(Kdsvd, "feature.kdsvd", "1.0.0", "Singular vectors across layers (Lee 2018)",
                binds("stages"), syncs(), uses("aten::nan_to_num"),
                paper("Lee et al. 2018, arXiv:1807.06819"), verified("RepDistiller, mdistiller"),
                licence("MIT"),
                option("vectors", &Kdsvd::Options::vectors)
                    .at_least(1)
                    .help("singular vectors of the teacher; the student chooses from 3 more"),
                option("columns", &Kdsvd::Options::columns)
                    .one_of("channels", "width")
                    .help("what one column of a sample's matrix is"))
