// What a plugin passes to the host's functions that cannot be: refused in words, never a crash.
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "tests/framework/bridge/door_rig.hpp"

namespace retort::test {
namespace {

using host::PluginFunction;
using testing::HasSubstr;

TEST(NullPointers, AreRefusedByEveryFunction) {
  const InPlugin plugin(PluginFunction::Setup);
  const retort_host& door = host::host_table();
  retort_op op = nullptr;
  EXPECT_NE(door.find_op(nullptr, "", &op, nullptr), RETORT_OK);
  EXPECT_NE(door.call(nullptr, nullptr, 0, nullptr, 0, nullptr, nullptr), RETORT_OK);
  EXPECT_THAT(door.last_error(), HasSubstr("a null pointer for an operator"));
  EXPECT_NE(door.shape(nullptr, nullptr, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.dtype(nullptr, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.item(nullptr, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.copy_from_host(RETORT_FLOAT32, nullptr, 2, nullptr, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.grad(nullptr, 2, nullptr, 1, 0, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.declare_parameter(nullptr, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.draw(nullptr, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.publish(nullptr, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.log(nullptr, nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.warn(nullptr, nullptr), RETORT_OK);
  EXPECT_NE(door.read_file(nullptr, 1, nullptr, nullptr), RETORT_OK);
  door.release_bytes(nullptr);
  EXPECT_EQ(door.wants_tap(nullptr), 0);
}

TEST(Counts, ThatAreAbsurdAreRefused) {
  const InPlugin plugin;
  const retort_host& door = host::host_table();
  const at::Tensor x = at::ones({1});
  const retort_value value = host::borrowed_value(x);
  const int64_t negative[] = {-2}, huge[] = {int64_t{1} << 40, int64_t{1} << 40};
  retort_tensor tensor = nullptr;
  EXPECT_EQ(door.copy_from_host(RETORT_FLOAT32, negative, 1, &x, &tensor, nullptr),
            RETORT_BAD_SHAPE);
  EXPECT_THAT(door.last_error(), HasSubstr("a tensor copied from memory has shape [-2]"));
  EXPECT_EQ(door.copy_from_host(RETORT_FLOAT32, huge, 2, &x, &tensor, nullptr), RETORT_BAD_SHAPE);
  EXPECT_THAT(door.last_error(), HasSubstr("more elements than can be counted"));
  EXPECT_EQ(door.copy_from_host(RETORT_FLOAT32, huge, 9, &x, &tensor, nullptr), RETORT_BAD_SHAPE);
  EXPECT_NE(door.grad(&value, -1, &value, 1, 0, &tensor, nullptr), RETORT_OK);
  EXPECT_THAT(door.last_error(), HasSubstr("the list of outputs of grad() has -1 entries"));
  EXPECT_NE(door.grad(&value, 1, &value, int64_t{1} << 40, 0, &tensor, nullptr), RETORT_OK);
}

TEST(OutOfMemory, IsRememberedUntilTheDoorSucceedsAgain) {
  InPlugin plugin;
  EXPECT_THAT(refusal("aten::zeros", "", {Ints{int64_t{1} << 46}}),
              testing::AllOf(HasSubstr("aten::zeros: out of memory: 281,474,976,710,656 bytes"),
                             HasSubstr("make data.batch_size")));
  EXPECT_THAT(plugin.scope.machine_failure, HasSubstr("out of memory"));
  EXPECT_THROW(host::throw_if_of_machine(plugin.scope, host::PluginError("my own words")),
               host::EnvironmentError);
  zeros({2});
  EXPECT_EQ(plugin.scope.machine_failure, "");
}

TEST(UndeclaredOperators, AreThoseThatNeitherTheSdkWrapsNorTheDeclarationLists) {
  host::ComponentInfo component;
  component.id = "logits.secretive";
  component.uses = {{"aten::topk", ""}, {"aten::softmax", "int"}, {"aten::sinc", ""}};
  InPlugin plugin;
  plugin.scope.component = &component;
  const Tensor x = to_plugin(at::ones({2, 2}));
  Operator("aten::sinc")(x);
  Operator("aten::logit")(relu(x));
  Operator("aten::logit")(x);
  const Operator found_and_not_called("aten::cummax");
  plugin.scope.undeclared.warn(component);
  EXPECT_THAT(host::undeclared_operators(component),
              testing::ElementsAre("aten::cummax", "aten::logit"));
}

}  // namespace
}  // namespace retort::test
