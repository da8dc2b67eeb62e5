// Arguments are checked against the operator's schema before LibTorch sees them.
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include "tests/framework/bridge/door_rig.hpp"

namespace retort::test {
namespace {

using testing::HasSubstr;

/// Nine numbers to call operators on.
at::Tensor nine() { return at::arange(9, at::kFloat).reshape({3, 3}); }

retort_value tensor_list(const std::vector<retort_value>& entries) {
  retort_value value{};
  value.tag = RETORT_TAG_TENSORS;
  value.count = static_cast<int64_t>(entries.size());
  value.as.values = entries.data();
  return value;
}

retort_value int_list(const std::vector<int64_t>& entries) {
  retort_value value{};
  value.tag = RETORT_TAG_INTS;
  value.count = static_cast<int64_t>(entries.size());
  value.as.integers = entries.data();
  return value;
}

/// Calls the table itself, for values that the SDK cannot make. Returns the code.
int32_t call_raw(const char* name, const char* overload, const std::vector<retort_value>& arguments,
                 std::vector<retort_value>& results, int64_t& count) {
  const retort_host& door = host::host_table();
  retort_op op = nullptr;
  EXPECT_EQ(door.find_op(name, overload, &op, nullptr), RETORT_OK);
  return door.call(op, arguments.data(), static_cast<int64_t>(arguments.size()), results.data(),
                   static_cast<int64_t>(results.size()), &count, nullptr);
}

TEST(Arguments, OfAWrongTagAreNamed) {
  const InPlugin plugin;
  const std::string message =
      refusal("aten::log_softmax", "int", {to_plugin(nine()), "first dimension"});
  EXPECT_THAT(message, HasSubstr("aten::log_softmax.int: argument \"dim\" is a text"));
  EXPECT_THAT(message, HasSubstr("it takes an int"));
}

TEST(Arguments, ThatAreRealWhereAnIntBelongsAreRefused) {
  const InPlugin plugin;
  EXPECT_THAT(refusal("aten::log_softmax", "int", {to_plugin(nine()), 1.0}),
              HasSubstr("argument \"dim\" is a real; it takes an int"));
}

TEST(Arguments, BeyondTheSchemaAreRefused) {
  const InPlugin plugin;
  EXPECT_THAT(refusal("aten::relu", "", {to_plugin(nine()), 1, 2}),
              HasSubstr("aten::relu is called with 3 arguments; it takes at most 1"));
}

TEST(Arguments, WithoutADefaultMustBeThere) {
  const InPlugin plugin;
  EXPECT_THAT(refusal("aten::matmul", "", {to_plugin(nine())}),
              HasSubstr("aten::matmul is called with 1 arguments; \"other\" has no default"));
}

TEST(Arguments, OfNoneAreRefusedWhereATensorIsNeeded) {
  const InPlugin plugin;
  EXPECT_THAT(refusal("aten::matmul", "", {to_plugin(nine()), Value()}),
              HasSubstr("aten::matmul: argument \"other\" is none; it takes a tensor"));
}

TEST(Arguments, OfNoneAreTakenWhereTheSchemaAllowsIt) {
  const InPlugin plugin;
  const Tensor y = Operator("aten::linear")(to_plugin(nine()), to_plugin(nine()), Value());
  EXPECT_TRUE(to_host(y).equal(nine().matmul(nine().t())));
}

TEST(Arguments, TurnAnIntIntoARealWhereARealBelongs) {
  const InPlugin plugin;
  const Tensor y = Operator("aten::norm", "Scalar")(to_plugin(nine()), 1);
  EXPECT_EQ(to_host(y).item<float>(), 36);
  EXPECT_EQ(refusal("aten::batch_norm", "",
                    {to_plugin(nine()), Value(), Value(), Value(), Value(), true, 1, 1, false}),
            "");
}

TEST(Arguments, SpreadOneIntOverAFixedSizeList) {
  const InPlugin plugin;
  const Tensor image = to_plugin(nine().reshape({1, 1, 3, 3}));
  const Operator upsample("aten::upsample_nearest2d");  // its kernel insists on two numbers
  EXPECT_EQ(upsample(image, 6).shape(), Shape({1, 1, 6, 6}));
  EXPECT_EQ(upsample(image, Ints{6}).shape(), Shape({1, 1, 6, 6}));
}

TEST(Arguments, OfATensorListAreCheckedOneByOne) {
  const InPlugin plugin;
  std::vector<retort_value> results(1);
  int64_t count = 0;
  const at::Tensor x = nine();
  const std::vector<retort_value> entries = {host::borrowed_value(x), Value(1.5).value()};
  EXPECT_EQ(call_raw("aten::cat", "", {tensor_list(entries)}, results, count), RETORT_BAD_ARGUMENT);
  EXPECT_THAT(host::host_table().last_error(),
              HasSubstr("aten::cat: argument \"tensors\" is a real"));
}

TEST(Arguments, OfAnOptionalTensorListMayHoldNone) {
  const InPlugin plugin;
  const Tensor columns = to_plugin(at::arange(2, at::kLong));
  const Tensor y = index(to_plugin(nine()), {Tensor(), columns});
  EXPECT_TRUE(to_host(y).equal(nine().narrow(1, 0, 2)));
}

TEST(Arguments, ThatOnlyTheHostSetsAreRefused) {
  const InPlugin plugin;
  EXPECT_THAT(refusal("aten::zeros", "", {Ints{2}, Dtype::Float32, 0}),
              HasSubstr("argument \"layout\" is an int; it takes nothing"));
}

TEST(Arguments, OfAnUnknownDtypeAreRefused) {
  const InPlugin plugin;
  EXPECT_THAT(refusal("aten::to", "dtype", {to_plugin(nine()), static_cast<Dtype>(77)}),
              HasSubstr("argument \"dtype\" is a dtype"));
}

TEST(Arguments, ThatLibTorchRefusesGiveItsReasonWithTheOperator) {
  const InPlugin plugin;
  const std::string message = refusal("aten::log_softmax", "int", {to_plugin(nine()), 5});
  EXPECT_THAT(message, HasSubstr("aten::log_softmax.int: "));
  EXPECT_THAT(message, HasSubstr("Dimension out of range"));
  EXPECT_THAT(message, HasSubstr("it was called with (float32 [3, 3], 5): check their shapes"));
  EXPECT_THAT(message, testing::Not(HasSubstr("Exception raised from")));
}

TEST(Results, OfAListAreLaidOutFlat) {
  const InPlugin plugin;
  const std::vector<Tensor> parts = split(to_plugin(nine()), 2);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].shape(), Shape({2, 3}));
  EXPECT_EQ(parts[1].shape(), Shape({1, 3}));
}

TEST(Results, OfSeveralKindsComeInOrder) {
  const InPlugin plugin;
  const std::vector<Tensor> top = topk(to_plugin(nine()), 1, 1);
  EXPECT_TRUE(to_host(top[0]).equal(nine().narrow(1, 2, 1)));
  EXPECT_EQ(top[1].dtype(), Dtype::Int64);
}

TEST(Results, ThatDoNotFitSayHowManyThereAre) {
  const InPlugin plugin;
  const at::Tensor x = nine();
  std::vector<retort_value> results(2);
  int64_t count = 0;
  EXPECT_EQ(call_raw("aten::unbind", "int", {host::borrowed_value(x)}, results, count),
            RETORT_CAPACITY);
  EXPECT_EQ(count, 3);
  EXPECT_EQ(results[0].tag, RETORT_TAG_NONE);
  EXPECT_THAT(host::host_table().last_error(),
              HasSubstr("aten::unbind.int returns 3 values; there is room for 2; take them all"));
}

TEST(Results, ThatAreUndefinedCrossAsNone) {
  const InPlugin plugin;
  const at::Tensor image = nine().reshape({1, 1, 3, 3}), weight = at::ones({1, 1, 1, 1});
  const std::vector<int64_t> ones = {1, 1}, zeros = {0, 0};
  const uint8_t only_second[] = {0, 1, 0};
  retort_value mask{};
  mask.tag = RETORT_TAG_BOOLS;
  mask.count = 3;
  mask.as.bools = only_second;
  std::vector<retort_value> results(3);
  int64_t count = 0;
  ASSERT_EQ(
      call_raw("aten::convolution_backward", "",
               {host::borrowed_value(image), host::borrowed_value(image),
                host::borrowed_value(weight), Value().value(), int_list(ones), int_list(zeros),
                int_list(ones), Value(false).value(), int_list(zeros), Value(1).value(), mask},
               results, count),
      RETORT_OK)
      << host::host_table().last_error();
  EXPECT_EQ(results[0].tag, RETORT_TAG_NONE);
  EXPECT_EQ(to_host(Tensor::adopt(results[1].as.tensor)).item<float>(), 204);  // 0 + 1 + ... + 64
  EXPECT_EQ(results[2].tag, RETORT_TAG_NONE);
}

TEST(UnknownOperators, AreNamed) {
  detail::attached_host = &host::host_table();
  EXPECT_THAT(message_of<retort::Error>([] { Operator("aten::sofmax", "int"); }),
              HasSubstr("operator aten::sofmax.int does not exist in this host's LibTorch"));
}

TEST(UnknownOperators, AreToldWithTheOverloadsThatExist) {
  detail::attached_host = &host::host_table();
  EXPECT_THAT(message_of<retort::Error>([] { Operator("aten::sum", "dims"); }),
              HasSubstr("operator aten::sum.dims does not exist in this host's LibTorch; choose an "
                        "overload of aten::sum that does: \"\", "));
  EXPECT_THAT(message_of<retort::Error>([] { Operator("aten::softmax"); }),
              HasSubstr("that does: int"));
  EXPECT_THAT(message_of<retort::Error>([] { Operator("softmax", "int"); }),
              HasSubstr("it is called aten::softmax"));
}

/// A value of a list tag, whose entries are at `entries`.
retort_value list_of(retort_tag tag, const void* entries, int64_t count) {
  retort_value value{};
  value.tag = tag;
  value.count = count;
  value.as.text = static_cast<const char*>(entries);
  return value;
}

TEST(Lists, OfAbsurdLengthsAndNullPointersAreRefused) {
  const InPlugin plugin;
  const at::Tensor x = nine();
  std::vector<retort_value> results(1);
  int64_t count = 0;
  const auto call = [&](const char* name, const char* overload, const retort_value& list) {
    EXPECT_EQ(call_raw(name, overload, {host::borrowed_value(x), list}, results, count),
              RETORT_BAD_ARGUMENT);
    return std::string(host::host_table().last_error());
  };
  for (const int64_t length : {int64_t{-1}, int64_t{1} << 40}) {
    EXPECT_THAT(call("aten::reshape", "", list_of(RETORT_TAG_INTS, &length, length)),
                HasSubstr("aten::reshape: argument \"shape\" has " + std::to_string(length)));
    EXPECT_THAT(call("aten::index", "Tensor", list_of(RETORT_TAG_TENSORS, &length, length)),
                HasSubstr("entries; 0 to 65,536 are possible"));
    EXPECT_THAT(call("aten::gelu", "", list_of(RETORT_TAG_TEXT, &length, length)),
                HasSubstr("argument \"approximate\""));
  }
  EXPECT_THAT(call("aten::reshape", "", list_of(RETORT_TAG_INTS, nullptr, 2)),
              HasSubstr("a null pointer; it must point to them"));
}

}  // namespace
}  // namespace retort::test
