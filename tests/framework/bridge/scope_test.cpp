// What a plugin may do where, and that the host puts back what a plugin leaves changed.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <thread>

#include "tests/framework/bridge/door_rig.hpp"
#include "tests/framework/bridge/parameter_spec.hpp"

namespace retort::test {
namespace {

using host::PluginFunction;
using testing::HasSubstr;

TEST(Factories, TakeTheScopesFloatType) {
  const InPlugin plugin(PluginFunction::Loss, at::kDouble);
  EXPECT_EQ(zeros({2}).dtype(), Dtype::Float64);
  EXPECT_EQ(eye(2).dtype(), Dtype::Float64);
}

TEST(Factories, KeepADtypeThatIsGiven) {
  const InPlugin plugin(PluginFunction::Loss, at::kDouble);
  EXPECT_EQ(zeros({2}, Dtype::Int32).dtype(), Dtype::Int32);
}

TEST(Factories, CountInInt64) {
  const InPlugin plugin;
  EXPECT_EQ(arange(3).dtype(), Dtype::Int64);
  EXPECT_EQ(Operator("aten::arange")(3).dtype(), Dtype::Int64);
}

TEST(Factories, TakeTheScopesDevice) {
  InPlugin plugin;
  plugin.scope.device = at::kMeta;  // a device that every build has
  EXPECT_TRUE(to_host(zeros({2})).is_meta());
  EXPECT_TRUE(to_host(arange(2)).is_meta());
}

TEST(Waiting, IsRefusedInALossThatDoesNotDeclareIt) {
  host::ComponentInfo strategy;
  InPlugin plugin;
  plugin.scope.component = &strategy;
  const Tensor x = to_plugin(at::eye(3));
  EXPECT_THAT(message_of<retort::Error>([&] { to_plugin(at::ones({})).item(); }),
              HasSubstr("item() waits for the device, and the strategy does not say so"));
  EXPECT_THAT(message_of<retort::Error>([&] { svd(x); }),
              HasSubstr("aten::linalg_svd waits for the device"));
  EXPECT_THAT(refusal("aten::nonzero", "", {x}), HasSubstr("declare it with syncs()"));
  EXPECT_EQ(refusal("aten::linalg_cholesky_ex", "", {x}), "");
  strategy.needs = RETORT_NEED_SYNC;
  EXPECT_EQ(to_plugin(at::ones({})).item(), 1);
  EXPECT_EQ(svd(x).size(), 3u);
  EXPECT_EQ(refusal("aten::nonzero", "", {x}), "");
}

TEST(RandomOperators, AreRefused) {
  const InPlugin plugin;
  EXPECT_THAT(refusal("aten::rand", "", {Ints{2}}),
              HasSubstr("aten::rand draws random numbers of its own"));
  EXPECT_THAT(refusal("aten::dropout", "", {to_plugin(at::ones({2})), 0.5, true}),
              HasSubstr("draw them by name: step.uniform"));
}

TEST(InPlaceOperators, AreRefusedInTheLoss) {
  const InPlugin plugin;
  EXPECT_THAT(refusal("aten::relu_", "", {to_plugin(at::ones({2}))}),
              HasSubstr("aten::relu_ writes to its argument"));
}

TEST(InPlaceOperators, WorkAfterBackward) {
  const InPlugin plugin(PluginFunction::AfterBackward);
  const at::Tensor bank = at::ones({2});
  Operator("aten::neg_")(to_plugin(bank));
  EXPECT_TRUE(bank.equal(-at::ones({2})));
}

TEST(Scope, IsNeededForACall) {
  detail::attached_host = &host::host_table();
  EXPECT_THAT(refusal("aten::relu", "", {to_plugin(at::ones({2}))}),
              HasSubstr("call it only on the thread, and during the call, that the host made"));
}

TEST(Scope, IsNotThatOfAnotherThread) {
  const InPlugin plugin;
  std::string message;
  std::thread([&] { message = refusal("aten::relu", "", {to_plugin(at::ones({2}))}); }).join();
  EXPECT_THAT(message, HasSubstr("from a thread of its own"));
}

/// Calls every function of the table that can fail; "" or what each said.
std::vector<std::string> answers_without_scope() {
  const retort_host& door = host::host_table();
  const at::Tensor x = at::ones({1});
  const retort_value value = host::borrowed_value(x);
  const Spec parameter("w", {2}, RETORT_INIT_CONSTANT);
  const int64_t sizes[] = {1};
  retort_draw_spec spec{sizeof(spec), RETORT_DRAW_UNIFORM, "d", 1, 0, sizes, 0, 1};
  retort_value scalar{};
  retort_tensor tensor = nullptr;
  int64_t slot = 0;
  const float data = 1;
  std::vector<std::string> answers;
  for (const int32_t code :
       {door.item(&value, &scalar, nullptr), door.grad(&value, 1, &value, 1, 0, &tensor, nullptr),
        door.copy_from_host(RETORT_FLOAT32, sizes, 1, &data, &tensor, nullptr),
        door.declare_parameter(&parameter, &slot, nullptr),
        door.declare_buffer(&parameter, &slot, nullptr), door.draw(&spec, &tensor, nullptr),
        door.publish("layer1", &value, nullptr), door.log("share", &value, nullptr),
        door.warn("careful", nullptr)}) {
    EXPECT_EQ(code, RETORT_NO_SCOPE);
    answers.push_back(door.last_error());
  }
  return answers;
}

TEST(Scope, IsNeededByEveryFunctionThatWorksOnIt) {
  std::vector<std::string> on_a_thread;
  {
    const InPlugin plugin;
    std::thread([&] { on_a_thread = answers_without_scope(); }).join();
  }
  for (const auto& answers : {answers_without_scope(), on_a_thread}) {
    EXPECT_EQ(answers.size(), 9u);
    EXPECT_THAT(answers, testing::Each(HasSubstr("from a thread of its own, or outside")));
  }
}

TEST(Scope, IsNeededToSwitchGradientsOff) {
  host::host_table().grad_mode(0);
  EXPECT_TRUE(c10::GradMode::is_enabled());
}

TEST(Scope, OfAnOuterPluginComesBack) {
  const InPlugin outer;
  {
    const InPlugin inner(PluginFunction::Setup);
    EXPECT_EQ(host::current_scope(), &inner.scope);
  }
  EXPECT_EQ(host::current_scope(), &outer.scope);
}

TEST(Scope, RestoresTheGradientModeThatAPluginLeavesOff) {
  {
    const InPlugin plugin;
    host::host_table().grad_mode(0);
    EXPECT_FALSE(c10::GradMode::is_enabled());
  }
  EXPECT_TRUE(c10::GradMode::is_enabled());
}

TEST(Item, ReadsANumberInTheLoss) {
  const InPlugin plugin;
  EXPECT_EQ(to_plugin(at::ones({1})).item(), 1);
  EXPECT_EQ(to_plugin(at::arange(1, 2, at::kLong)).item(), 1);
}

TEST(Item, IsRefusedInAForwardPass) {
  const InPlugin plugin(PluginFunction::Forward);
  EXPECT_THAT(message_of<retort::Error>([] { to_plugin(at::ones({1})).item(); }),
              HasSubstr("item() in a model's forward pass"));
}

TEST(Item, TakesOneElement) {
  const InPlugin plugin;
  EXPECT_THAT(message_of<retort::Error>([] { to_plugin(at::ones({2})).item(); }),
              HasSubstr("item() of a tensor of shape [2]; it takes one element"));
}

TEST(Grad, OfAnEarlierStepIsToldInWords) {
  const InPlugin plugin;
  const at::Tensor x = at::ones({2}).set_requires_grad(true);
  const at::Tensor y = x.mul(x).sum();
  y.backward();
  const retort_value output = host::borrowed_value(y), input = host::borrowed_value(x);
  retort_tensor gradient = nullptr;
  EXPECT_NE(host::host_table().grad(&output, 1, &input, 1, 0, &gradient, nullptr), RETORT_OK);
  EXPECT_THAT(host::host_table().last_error(), HasSubstr("keep detach(x) of what outlives a step"));
}

TEST(Grad, GivesNullForAnInputThatDoesNotMatter) {
  const InPlugin plugin;
  const at::Tensor x = at::ones({2}).set_requires_grad(true);
  const at::Tensor apart = at::ones({2}).set_requires_grad(true);
  const at::Tensor y = x.mul(3).sum();
  const retort_value output = host::borrowed_value(y);
  const retort_value inputs[] = {host::borrowed_value(x), host::borrowed_value(apart)};
  retort_tensor grads[2] = {};
  ASSERT_EQ(host::host_table().grad(&output, 1, inputs, 2, 0, grads, nullptr), RETORT_OK);
  EXPECT_TRUE(to_host(Tensor::adopt(grads[0])).equal(at::ones({2}) * 3));
  EXPECT_EQ(grads[1], nullptr);
}

TEST(Handles, AreReleasedAsOftenAsTheyAreRetained) {
  const at::Tensor x = at::ones({2});
  const size_t before = x.use_count();
  {
    const InPlugin plugin;
    const Tensor copy = to_plugin(x), again = copy;
    EXPECT_EQ(x.use_count(), before + 2);
    const Tensor y = relu(copy + again);
    EXPECT_EQ(to_host(y).use_count(), 2u);  // y, and the temporary
  }
  EXPECT_EQ(x.use_count(), before);
}

TEST(Handles, OfRefusedCallsAreNotKept) {
  const InPlugin plugin;
  const at::Tensor x = at::ones({2});
  const size_t before = x.use_count();
  EXPECT_NE(refusal("aten::log_softmax", "int", {to_plugin(x), 9}), "");
  EXPECT_EQ(x.use_count(), before);
}

TEST(Handles, OfTheUndefinedTensorAreNullAndUncounted) {
  const retort_host& door = host::host_table();
  EXPECT_EQ(host::borrowed_value(at::Tensor()).tag, RETORT_TAG_NONE);
  EXPECT_EQ(host::owned_handle(at::Tensor()), nullptr);
  EXPECT_EQ(door.retain(nullptr), nullptr);
  door.release(nullptr);
  EXPECT_FALSE(host::tensor_of(nullptr).defined());
}

TEST(Metrics, AreTheMeanOfWhatWasLogged) {
  InPlugin plugin;
  host::MetricSink sink;
  plugin.scope.metrics = &sink;
  for (const double value : {1.0, 2.0, 6.0}) {
    host::host_table().log("share", &Value(value).value(), nullptr);
  }
  const auto means = sink.take_means();
  ASSERT_EQ(means.size(), 1u);
  EXPECT_EQ(means[0].first, "logits.mine/share");
  EXPECT_EQ(means[0].second, 3);
  EXPECT_TRUE(sink.take_means().empty());
}

TEST(Metrics, OfSeveralElementsAreRefused) {
  InPlugin plugin;
  host::MetricSink sink;
  plugin.scope.metrics = &sink;
  const at::Tensor two = at::ones({2});
  const retort_value value = host::borrowed_value(two);
  EXPECT_EQ(host::host_table().log("share", &value, nullptr), RETORT_BAD_SHAPE);
  EXPECT_THAT(host::host_table().last_error(),
              HasSubstr("log(\"share\") takes a tensor of one element, not of 2"));
}

}  // namespace
}  // namespace retort::test
