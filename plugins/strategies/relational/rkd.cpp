#include <retort/strategy.hpp>

using namespace retort;

namespace {

/// The rows of a batch seen from each other.
struct Relations {
  Tensor offsets;    // [N, N, D]: row j - row i
  Tensor distances;  // [N, N], 0 on the diagonal
  Tensor inverses;   // [N, N]: 1 / distance; 0 for two rows in the same place
};

/// Offsets are subtracted before they are squared (a Gram matrix would cancel), so two equal rows
/// are exactly 0 apart. There the distance is the clamp, and neither it nor an angle has a
/// gradient.
Relations relate(const Tensor& rows) {
  constexpr double kMinSquare = 1e-12;
  Relations out;
  out.offsets = unsqueeze(rows, 0) - unsqueeze(rows, 1);        // [N, N, D]
  const Tensor squares = sum(square(out.offsets), {2});         // [N, N]
  const Tensor clamped = sqrt(clamp_min(squares, kMinSquare));  // [N, N]
  out.distances = masked_fill(clamped, eye(rows.size(0), Dtype::Bool), 0);
  out.inverses = masked_fill(reciprocal(clamped), squares <= kMinSquare, 0);
  return out;
}

/// Distances in units of their mean over all pairs of different rows: [N, N].
Tensor relative_distances(const Relations& relations) {
  const double n = static_cast<double>(relations.distances.size(0));
  return relations.distances / (sum(relations.distances) / (n * (n - 1)));
}

/// Cosines of the angles at row i between rows j and k: [N, N, N].
Tensor angles(const Relations& relations) {
  const Tensor directions = relations.offsets * unsqueeze(relations.inverses, 2);  // [N, N, D]
  return bmm(directions, transpose(directions, 1, 2));
}

/// Makes the student's samples lie to each other as the teacher's do: in distances of pairs and
/// angles of triplets.
///   d_ij  = ||x_j - x_i||,  D = d / mean_{i != j}(d)
///   A_ijk = cosine of the angle at x_i between x_j and x_k; 0 where two of them coincide
///   loss  = distance_weight mean_ij smooth_l1(D_s - D_t)
///           + angle_weight mean_ijk smooth_l1(A_s - A_t), summed over the bound taps
/// Source:  Park et al. 2019, arXiv:1904.05068, eqs. 4 to 8.
/// Inputs:  student.features [N, ...], requires grad, flattened to [N, D]; teacher.features the
///          same with a D of its own; N >= 3: two samples have one distance, which is its own
///          mean, and no angle.
/// Output:  [] float32, >= 0. Holds a few arrays of N N D and of N N N numbers.
/// Params:  distance_weight  >= 0, default 25, 0 switches the term off.
///          angle_weight     >= 0, default 50, 0 switches the term off.
/// Throws:  ConfigError when both weights are 0.
/// Differs: the authors divide the offset of two rows nearer than 1e-6 by its tiny length; here
///          the direction between them is 0, so that its gradient stays bounded.
class Rkd final : public Strategy {
 public:
  struct Options {
    double distance_weight = 25;
    double angle_weight = 50;
  } options;

  void setup(Setup&) override {
    if (options.distance_weight == 0 && options.angle_weight == 0) {
      throw ConfigError(
          "distance_weight = 0 and angle_weight = 0 leave no loss; set one above 0, or remove the "
          "transfer");
    }
  }

  Tensor loss(const Step& step) override {
    Tensor total;
    for (size_t i = 0; i < step.student.features.size(); ++i) {
      const Relations student = relate(flatten(step.student.features[i], 1));
      const Relations teacher = relate(flatten(step.teacher.features[i], 1));
      if (options.distance_weight > 0) {
        total += options.distance_weight *
                 smooth_l1_loss(relative_distances(student), relative_distances(teacher));
      }
      if (options.angle_weight > 0) {
        total += options.angle_weight * smooth_l1_loss(angles(student), angles(teacher));
      }
    }
    return total;
  }
};

}  // namespace

RETORT_STRATEGY(Rkd, "relational.rkd", "1.0.0", "Distances and angles between samples (Park 2019)",
                binds("pooled"), batch(3), paper("Park et al. 2019, arXiv:1904.05068"),
                verified("RepDistiller"), licence("MIT"),
                option("distance_weight", &Rkd::Options::distance_weight)
                    .at_least(0)
                    .help("of the distance term; 0 switches it off"),
                option("angle_weight", &Rkd::Options::angle_weight)
                    .at_least(0)
                    .help("of the angle term; 0 switches it off"))
