#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/train/transfer.hpp"
#include "tests/plugins/components.hpp"
#include "tests/tolerances.hpp"

namespace retort::test {

/// float64 numbers made by a formula from an element's indices, as the golden inputs are.
at::Tensor from_formula(const std::vector<int64_t>& sizes,
                        const std::function<double(const std::vector<int64_t>&)>& formula);

// The golden inputs that all methods share: float64.
at::Tensor student_logits();      // [4, 10]
at::Tensor teacher_logits();      // [4, 10]
at::Tensor student_map();         // [4, 6, 4, 4]
at::Tensor teacher_map();         // [4, 6, 4, 4]
at::Tensor large_student_map();   // [4, 6, 8, 8], the formula of student_map
at::Tensor second_student_map();  // [4, 5, 2, 2]
at::Tensor second_teacher_map();  // [4, 5, 2, 2]
at::Tensor student_embedding();   // [4, 8]
at::Tensor teacher_embedding();   // [4, 8]
at::Tensor golden_labels();       // [4] int64: 1, 4, 7, 0

/// A strategy of a built plugin, run as the trainer runs it: the way a user gets it.
class StrategyRig {
 public:
  explicit StrategyRig(const std::string& id, const Options& options = {},
                       at::ScalarType type = at::kDouble);

  /// Sets the strategy up for batches of these shapes; its own parameters get the rig's type.
  void setup(const host::Outputs& student, const host::Outputs& teacher);

  /// The loss; the tensors are used as they are. A rig that was not set up is, for these.
  at::Tensor loss(const host::Outputs& student, const host::Outputs& teacher);

  // The same in two parts, for a loss that is computed again and again.
  host::StepView inputs(const host::Outputs& student, const host::Outputs& teacher) const;
  at::Tensor loss(const host::StepView& inputs) { return transfer_->loss(inputs); }

  host::ParameterSet& parameters() { return *transfer_->parameters(); }
  /// An own parameter or buffer, to read or to set with set_data().
  at::Tensor& parameter(const std::string& name);

  // What else a step holds; the golden labels (as many as the batch, repeated), epoch 0.
  at::Tensor labels;
  int64_t epoch = 0;
  double progress = 0;
  host::Draws draws;  // tensors given for named draws, and those that the last loss drew

 private:
  std::unique_ptr<host::Transfer> transfer_;
  bool is_set_up_ = false;
};

host::Outputs logits_of(const at::Tensor& logits);
host::Outputs features_of(std::vector<at::Tensor> features);
host::Outputs outputs_of(const at::Tensor& logits, std::vector<at::Tensor> features);

/// A loss as a function of one student tensor.
using Loss = std::function<at::Tensor(const at::Tensor&)>;

struct LossAndGradient {
  double loss;
  at::Tensor gradient;
  double norm() const;
};
LossAndGradient differentiate(const Loss& loss, const at::Tensor& at);

/// Compares loss and norm of the gradient with their reference at a tensor, within the tolerance of
/// its type.
void expect_golden(const Loss& loss, const at::Tensor& at, double wanted, double wanted_norm);

/// Compares a loss and its gradient, element by element, with a formula written in ATen.
void expect_formula(const Loss& loss, const Loss& formula, const at::Tensor& at);

/// Compares the gradient at a float64 tensor with central differences, element by element.
void expect_true_gradient(const Loss& loss, const at::Tensor& at);

bool all_finite(const at::Tensor& tensor);

}  // namespace retort::test
