#include "tests/plugins/strategies/strategy_rig.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <stdexcept>

namespace retort::test {
namespace {

host::OutputShapes shapes_of(const host::Outputs& outputs) {
  host::OutputShapes shapes;
  shapes.logits = outputs.logits.sizes().vec();
  for (const at::Tensor& feature : outputs.features)
    shapes.features.push_back(feature.sizes().vec());
  return shapes;
}

host::TransferConfig config_of(const std::string& id, const Options& options) {
  host::TransferConfig config;
  config.name = id;
  config.strategy = choose(RETORT_KIND_STRATEGY, id, options);
  config.bind_student = config.strategy.info.bind_student;
  config.bind_teacher = config.strategy.info.bind_teacher;
  // A test may give any number of features, and each needs a name.
  for (auto* taps : {&config.bind_student, &config.bind_teacher})
    while (taps->size() < 8) taps->push_back("tap" + std::to_string(taps->size()));
  return config;
}

}  // namespace

at::Tensor from_formula(const std::vector<int64_t>& sizes,
                        const std::function<double(const std::vector<int64_t>&)>& formula) {
  at::Tensor tensor = at::empty(sizes, at::kDouble);
  std::vector<int64_t> index(sizes.size(), 0);
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<double>()[i] = formula(index);
    for (size_t d = sizes.size(); d-- > 0 && ++index[d] == sizes[d];) index[d] = 0;
  }
  return tensor;
}

at::Tensor student_logits() {
  return from_formula({4, 10},
                      [](const auto& i) { return 3 * std::sin(.7 * i[0] + 1.3 * i[1] + .1); });
}
at::Tensor teacher_logits() {
  return from_formula({4, 10},
                      [](const auto& i) { return 4 * std::cos(.5 * i[0] - .9 * i[1] + .2); });
}
at::Tensor student_map() {
  return from_formula({4, 6, 4, 4}, [](const auto& i) {
    return std::sin(.3 * i[0] + .5 * i[1] + .7 * i[2] + 1.1 * i[3] + .05);
  });
}
at::Tensor teacher_map() {
  return from_formula({4, 6, 4, 4}, [](const auto& i) {
    return std::cos(.2 * i[0] - .4 * i[1] + .6 * i[2] - .9 * i[3] + .15);
  });
}
at::Tensor large_student_map() {
  return from_formula({4, 6, 8, 8}, [](const auto& i) {
    return std::sin(.3 * i[0] + .5 * i[1] + .7 * i[2] + 1.1 * i[3] + .05);
  });
}
at::Tensor second_student_map() {
  return from_formula({4, 5, 2, 2}, [](const auto& i) {
    return std::sin(.9 * i[0] + .2 * i[1] + .4 * i[2] + .8 * i[3] + .35);
  });
}
at::Tensor second_teacher_map() {
  return from_formula({4, 5, 2, 2}, [](const auto& i) {
    return std::cos(.6 * i[0] - .3 * i[1] + .5 * i[2] - .7 * i[3] + .25);
  });
}
at::Tensor student_embedding() {
  return from_formula({4, 8}, [](const auto& i) {
    return std::sin(.8 * i[0] + .45 * i[1] + .2) + .3 * std::cos(1.7 * i[0] * i[1]);
  });
}
at::Tensor teacher_embedding() {
  return from_formula({4, 8}, [](const auto& i) {
    return std::cos(.6 * i[0] - .35 * i[1] + .4) + .2 * std::sin(1.1 * i[0] * i[1]);
  });
}

at::Tensor golden_labels() { return (at::arange(4, at::kLong) * 3 + 1).remainder(10); }

StrategyRig::StrategyRig(const std::string& id, const Options& options, at::ScalarType type)
    : transfer_(std::make_unique<host::Transfer>(config_of(id, options), at::kCPU, 1, type)) {
  transfer_->set_draws(&draws);
}

at::Tensor& StrategyRig::parameter(const std::string& name) {
  host::Parameter* const found = parameters().find(name);
  if (found == nullptr) throw std::out_of_range("no parameter " + name);
  return found->master;
}

void StrategyRig::setup(const host::Outputs& student, const host::Outputs& teacher) {
  host::RunShape run;
  const int64_t n = student.logits.size(0);
  run.class_count = student.logits.size(1);
  run.train_count = run.batch_size = n;
  run.epoch_count = run.step_count = 1;
  if (!labels.defined()) labels = (at::arange(n, at::kLong) * 3 + 1).remainder(run.class_count);
  run.labels = labels.const_data_ptr<int64_t>();
  transfer_->setup(run, shapes_of(student), shapes_of(teacher));
  is_set_up_ = true;
}

at::Tensor StrategyRig::loss(const host::Outputs& student, const host::Outputs& teacher) {
  if (!is_set_up_) setup(student, teacher);
  draws.seen.clear();
  return loss(inputs(student, teacher));
}

host::StepView StrategyRig::inputs(const host::Outputs& student,
                                   const host::Outputs& teacher) const {
  host::StepView step;
  step.put_outputs("student") = student;
  step.put_outputs("teacher") = teacher;
  if (labels.defined()) step.batch.put(host::kLabelField, labels);
  step.batch.put(host::kIndexField, at::arange(student.logits.size(0), at::kLong));
  step.progress = at::full({}, progress, at::kFloat);
  step.epoch = epoch;
  return step;
}

host::Outputs logits_of(const at::Tensor& logits) {
  host::Outputs outputs;
  outputs.logits = logits;
  return outputs;
}

host::Outputs outputs_of(const at::Tensor& logits, std::vector<at::Tensor> features) {
  host::Outputs outputs = logits_of(logits);
  outputs.features = std::move(features);
  return outputs;
}

host::Outputs features_of(std::vector<at::Tensor> features) {
  host::Outputs outputs;
  outputs.logits = at::zeros({features.at(0).size(0), 10}, at::kFloat);
  outputs.features = std::move(features);
  return outputs;
}

double LossAndGradient::norm() const { return gradient.norm().item<double>(); }

LossAndGradient differentiate(const Loss& loss, const at::Tensor& at) {
  const at::Tensor leaf = at.detach().clone().set_requires_grad(true);
  const at::Tensor value = loss(leaf);
  value.backward();
  return {value.item<double>(), leaf.grad()};
}

void expect_golden(const Loss& loss, const at::Tensor& at, double wanted, double wanted_norm) {
  const Tolerance tolerance = tolerance_of(at.scalar_type());
  const LossAndGradient found = differentiate(loss, at);
  EXPECT_NEAR(found.loss, wanted, tolerance.loss * wanted);
  EXPECT_NEAR(found.norm(), wanted_norm, tolerance.gradient * wanted_norm);
}

void expect_formula(const Loss& loss, const Loss& formula, const at::Tensor& at) {
  const LossAndGradient found = differentiate(loss, at), wanted = differentiate(formula, at);
  const Tolerance tolerance = tolerance_of(at.scalar_type());
  EXPECT_NEAR(found.loss, wanted.loss, tolerance.loss * std::abs(wanted.loss));
  EXPECT_LE((found.gradient - wanted.gradient).norm().item<double>(),
            tolerance.gradient * wanted.norm());
}

void expect_true_gradient(const Loss& loss, const at::Tensor& at) {
  const LossAndGradient found = differentiate(loss, at);
  const at::Tensor flat = at.detach().clone().reshape({-1});
  double* const numbers = flat.data_ptr<double>();
  const at::Tensor gradient = found.gradient.reshape({-1});
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const double here = numbers[i];
    numbers[i] = here + kDifferenceWidth;
    const double above = loss(flat.reshape(at.sizes())).item<double>();
    numbers[i] = here - kDifferenceWidth;
    const double below = loss(flat.reshape(at.sizes())).item<double>();
    numbers[i] = here;
    ASSERT_NEAR(gradient[i].item<double>(), (above - below) / (2 * kDifferenceWidth),
                kDifferenceTolerance * found.norm())
        << "element " << i;
  }
}

bool all_finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

}  // namespace retort::test
