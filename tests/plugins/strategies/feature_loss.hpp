#pragma once

#include <gmock/gmock.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/plugins/strategies/strategy_rig.hpp"

namespace retort::test {

/// A feature strategy set up for these maps, in their type.
inline std::shared_ptr<StrategyRig> feature_rig(const std::string& id,
                                                const std::vector<at::Tensor>& student,
                                                const std::vector<at::Tensor>& teacher,
                                                const Options& options = {}) {
  auto rig = std::make_shared<StrategyRig>(id, options, teacher.at(0).scalar_type());
  rig->setup(features_of(student), features_of(teacher));
  return rig;
}

/// The loss of a rig as a function of the student's map at one tap, the others as given.
inline Loss at_tap(const std::shared_ptr<StrategyRig>& rig, size_t tap,
                   std::vector<at::Tensor> student, const std::vector<at::Tensor>& teacher) {
  return [=](const at::Tensor& map) mutable {
    student.at(tap) = map;
    return rig->loss(features_of(student), features_of(teacher));
  };
}

/// The loss of a new rig of one pair of taps, set up for these maps, against that teacher.
inline Loss feature_loss(const std::string& id, const at::Tensor& student,
                         const at::Tensor& teacher, const Options& options = {}) {
  return at_tap(feature_rig(id, {student}, {teacher}, options), 0, {student}, {teacher});
}

/// Gives the own parameters the values of the reference runs: 0.5 sin(0.7 j + k) at position j, k
/// the sum of the bytes of the authors' name, which is ours.
inline void set_reference_parameters(StrategyRig& rig) {
  for (const host::Parameter& parameter : rig.parameters().all()) {
    if (!parameter.trained) continue;
    const int k = std::accumulate(parameter.name.begin(), parameter.name.end(), 0);
    const at::Tensor values = from_formula(
        {parameter.master.numel()}, [k](const auto& j) { return 0.5 * std::sin(0.7 * j[0] + k); });
    parameter.master.set_data(
        values.reshape(parameter.master.sizes()).to(parameter.master.scalar_type()));
  }
}

/// Compares the loss, and the norm of its gradient to each student tap, with a reference run.
inline void expect_golden_at_taps(const std::shared_ptr<StrategyRig>& rig,
                                  const std::vector<at::Tensor>& student,
                                  const std::vector<at::Tensor>& teacher, double wanted,
                                  const std::vector<double>& wanted_norms) {
  for (size_t tap = 0; tap < student.size(); ++tap) {
    SCOPED_TRACE(tap);
    expect_golden(at_tap(rig, tap, student, teacher), student[tap], wanted, wanted_norms.at(tap));
  }
}

/// The same maps in another type.
inline std::vector<at::Tensor> to_type(std::vector<at::Tensor> maps, at::ScalarType type) {
  for (at::Tensor& map : maps) map = map.to(type);
  return maps;
}

/// A corner of a golden map, [4, 2, 2, 2], for finite differences.
inline at::Tensor corner(const at::Tensor& map) {
  return map.slice(1, 0, 2).slice(2, 0, 2).slice(3, 0, 2).contiguous();
}

/// Maps that are normalised over their pixels are a constant at one: whichever of both is so small.
inline void expect_to_refuse_one_pixel(const std::string& id) {
  const at::Tensor large = student_map(), small = teacher_map().mean({2, 3}, true);
  const auto refusal = [&](const at::Tensor& student, const at::Tensor& teacher) {
    return message_of<host::ShapeError>([&] { feature_rig(id, {student}, {teacher}); });
  };
  EXPECT_THAT(
      refusal(large, small),
      testing::HasSubstr("compares the feature maps [4, 6, 4, 4] (student) and [4, 6, 1, 1] "
                         "(teacher) at one pixel, where the loss can only be 0; bind taps "
                         "with larger maps"));
  EXPECT_THAT(refusal(small, large), testing::HasSubstr("at one pixel, where the loss can only"));
  EXPECT_EQ(refusal(large, large.slice(2, 0, 1)), "");  // 1 x 4
}

}  // namespace retort::test
