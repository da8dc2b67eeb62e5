#pragma once

#include <memory>
#include <string>
#include <vector>

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

/// A corner of a golden map, [4, 2, 2, 2], for finite differences.
inline at::Tensor corner(const at::Tensor& map) {
  return map.slice(1, 0, 2).slice(2, 0, 2).slice(3, 0, 2).contiguous();
}

}  // namespace retort::test
