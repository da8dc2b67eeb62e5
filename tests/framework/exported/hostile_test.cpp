// A file of torch.export comes from elsewhere: each part of it is spoilt in turn, and must be refused in
// words, before anything is read that is not there.
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <functional>

#include "framework/base/error.hpp"
#include "framework/exported/program.hpp"
#include "tests/framework/exported/pt2_builder.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class HostileProgram : public ::testing::Test {
 protected:
  /// What is said of a program; "" where it is taken and runs.
  std::string refusal_of(const std::string& bytes) {
    const auto file = scratch_.put("net.pt2", bytes);
    return message_of<host::Error>([&] {
      host::ParameterSet parameters(1, "student", at::kCPU);
      host::exported::Program program(file, parameters);
      const c10::NoGradGuard without_gradients;
      program.run({at::ones({3, 1, 2, 2})}, {});
    });
  }
  std::string refusal_of(const std::function<void(Pt2Builder&)>& spoil) {
    Pt2Builder builder;
    spoil(builder);
    return refusal_of(builder.make());
  }

  Scratch scratch_;
};

TEST_F(HostileProgram, RunsWhereNothingIsSpoilt) {
  const auto file = scratch_.put("net.pt2", Pt2Builder().make());
  host::ParameterSet parameters(1, "student", at::kCPU);
  host::exported::Program program(file, parameters);
  const c10::NoGradGuard without_gradients;
  const auto result = program.run({at::ones({3, 1, 2, 2})}, {});
  // conv: 0.1 + .. + 0.4 = 1 and 0.5 + .. + 0.8 = 2.6; fc: [0.1, 0.2], [0.3, 0.4] and 0.1, 0.2.
  const at::Tensor logits = result.outputs.at(0).toTensor();
  EXPECT_EQ(logits.sizes(), at::IntArrayRef({3, 2}));
  EXPECT_NEAR(logits[0][0].item().toDouble(), 0.1 * 1 + 0.2 * 2.6 + 0.1, 1e-6);
  EXPECT_NEAR(logits[2][1].item().toDouble(), 0.3 * 1 + 0.4 * 2.6 + 0.2, 1e-6);
}

TEST_F(HostileProgram, RefusesEveryBeginning) {
  const std::string whole = Pt2Builder().make();
  for (size_t size = 0; size < whole.size(); size += size + 1200 < whole.size() ? 5 : 1)
    ASSERT_THAT(refusal_of(whole.substr(0, size)), HasSubstr("net.pt2: ")) << size;
}

TEST_F(HostileProgram, TakesOrRefusesAnyByteChanged) {
  const std::string whole = Pt2Builder().make();
  for (size_t at = 0; at < whole.size(); at += 3) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    refusal_of(changed);  // no crash, and no exception of another kind
  }
}

TEST_F(HostileProgram, NamesWhatIsNoProgram) {
  EXPECT_THAT(refusal_of("hello, this is no archive at all"),
              AllOf(HasSubstr("is no exported program"), HasSubstr("retort_export.save")));
  EXPECT_THAT(refusal_of(std::string("\x80\x02}q\x00.", 6)),
              AllOf(HasSubstr("a pickled Python object"), HasSubstr("no network")));
  EXPECT_THAT(refusal_of([](Pt2Builder& b) { b.format = "aoti"; }), HasSubstr("\"aoti\", not pt2"));
  EXPECT_THAT(refusal_of([](Pt2Builder& b) { b.version = "1"; }),
              HasSubstr("archive_version is 1"));
  EXPECT_THAT(refusal_of([](Pt2Builder& b) { b.order = "big"; }), HasSubstr("byte order"));
  EXPECT_THAT(refusal_of([](Pt2Builder& b) { b.extra.emplace_back("byteorder", "little"); }),
              HasSubstr("two members of the name byteorder"));
}

TEST_F(HostileProgram, RefusesOtherVersionsOfTheSchema) {
  EXPECT_THAT(refusal_of([](Pt2Builder& b) { b.model["schema_version"]["major"] = 9; }),
              AllOf(HasSubstr("schema_version: is 9; version 8 is read"),
                    HasSubstr("export the network again with torch 2.11 to 2.14")));
}

TEST_F(HostileProgram, RefusesTensorsThatDoNotLieInTheirStorage) {
  const auto spoil = [&](const std::function<void(Json&)>& change) {
    return refusal_of([&](Pt2Builder& b) { change(b.meta("fc.weight")); });
  };
  const auto outside = HasSubstr("tensor fc.weight");
  EXPECT_THAT(spoil([](Json& m) { m["sizes"][0]["as_int"] = 3; }), outside);
  EXPECT_THAT(spoil([](Json& m) { m["sizes"][0]["as_int"] = INT64_MAX; }), outside);
  EXPECT_THAT(spoil([](Json& m) { m["strides"][0]["as_int"] = INT64_MAX; }), outside);
  EXPECT_THAT(spoil([](Json& m) { m["storage_offset"]["as_int"] = 1; }), outside);
  EXPECT_THAT(spoil([](Json& m) { m["storage_offset"]["as_int"] = INT64_MAX; }), outside);
  EXPECT_THAT(spoil([](Json& m) {
                m["sizes"][0]["as_int"] = int64_t{1} << 40;
                m["strides"] = Json::array({{{"as_int", 0}}, {{"as_int", 0}}});
              }),
              outside);
  EXPECT_THAT(spoil([](Json& m) { m["sizes"][0]["as_int"] = -1; }), HasSubstr("below 0"));
  EXPECT_THAT(spoil([](Json& m) { m["strides"].erase(0); }), HasSubstr("do not fit together"));
  EXPECT_THAT(spoil([](Json& m) { m["dtype"] = 99; }), HasSubstr("element type number 99"));
  EXPECT_THAT(spoil([](Json& m) { m["dtype"] = 8; }), outside);  // float64: half as many
}

TEST_F(HostileProgram, RefusesWhatWouldBeUnpickled) {
  EXPECT_THAT(
      refusal_of([](Pt2Builder& b) { b.weights["config"]["fc.bias"]["use_pickle"] = true; }),
      HasSubstr("is a pickled object, which is never unpickled here"));
}

TEST_F(HostileProgram, RefusesParametersThatShareMemoryInPart) {
  EXPECT_THAT(
      refusal_of([](Pt2Builder& b) { b.weights["config"]["fc.bias"]["path_name"] = "weight_1"; }),
      HasSubstr("share memory in part"));
}

TEST_F(HostileProgram, RefusesOperatorsThatReachBesideTheirArguments) {
  for (const char* target :
       {"torch.ops.aten.set_.source_Storage", "torch.ops.aten.resize_.default",
        "torch.ops.aten.from_file.default", "torch.ops.aten._reshape_alias.default",
        "torch.ops.aten.relu.out", "torch.ops.aten._backward.default",
        "torch.ops.aten._cudnn_rnn.default", "torch.ops.aten.resize_as_.default"}) {
    EXPECT_THAT(refusal_of([&](Pt2Builder& b) { b.nodes()[1]["target"] = target; }),
                AllOf(HasSubstr("node relu_: "), HasSubstr(target), HasSubstr("is not run")));
  }
}

TEST_F(HostileProgram, NamesOperatorsThatThereAreNot) {
  const auto with = [&](const char* target) {
    return refusal_of([&](Pt2Builder& b) { b.nodes()[1]["target"] = target; });
  };
  EXPECT_THAT(with("torch.ops.aten.not_there.default"), HasSubstr("is not in this LibTorch"));
  EXPECT_THAT(with("torch.ops.mine.special.default"), HasSubstr("exists in Python alone"));
  EXPECT_THAT(with("torch.ops.higher_order.cond"), HasSubstr("is none of LibTorch's"));
  EXPECT_THAT(with("torch.ops.aten.randn_like.default"),
              HasSubstr("draws random numbers that could not be repeated"));
  EXPECT_THAT(with("builtins.eval"), HasSubstr("the function builtins.eval is not run"));
}

TEST_F(HostileProgram, RefusesGraphsThatDoNotHangTogether) {
  const auto spoil = [&](const std::function<void(Pt2Builder&)>& change) {
    return refusal_of(change);
  };
  EXPECT_THAT(spoil([](Pt2Builder& b) { std::swap(b.nodes()[0], b.nodes()[1]); }),
              HasSubstr("conv2d is used before it is made"));
  EXPECT_THAT(spoil([](Pt2Builder& b) { b.nodes()[1]["outputs"][0] = Pt2Builder::name("conv2d"); }),
              HasSubstr("conv2d is made twice"));
  EXPECT_THAT(spoil([](Pt2Builder& b) { b.nodes()[1]["inputs"] = Json::array(); }),
              HasSubstr("lacks its argument \"self\""));
  EXPECT_THAT(spoil([](Pt2Builder& b) { b.nodes()[1]["inputs"][0]["name"] = "other"; }),
              HasSubstr("takes no argument \"other\""));
  EXPECT_THAT(spoil([](Pt2Builder& b) { b.graph()["inputs"].erase(0); }),
              HasSubstr("another number of entries"));
  EXPECT_THAT(spoil([](Pt2Builder& b) { b.weights["config"].erase("fc.bias"); }),
              HasSubstr("holds no tensor fc.bias"));
  EXPECT_THAT(spoil([](Pt2Builder& b) {
                b.model["graph_module"]["signature"]["output_specs"][0] = {
                    {"buffer_mutation", {{"buffer_name", "x"}}}};
              }),
              HasSubstr("run_decompositions()"));
  EXPECT_THAT(spoil([](Pt2Builder& b) { b.graph()["outputs"][0] = Pt2Builder::name("nothing"); }),
              HasSubstr("nothing is used before it is made"));
}

TEST_F(HostileProgram, RefusesAGraphOfEvaluationThatReadsWhatTheFileHasNot) {
  Json other = Pt2Builder::make_model();
  other["graph_module"]["signature"]["input_specs"][2] = {
      {"tensor_constant", {{"arg", {{"name", "p_bias"}}}, {"tensor_constant_name", "mine"}}}};
  EXPECT_THAT(refusal_of([&](Pt2Builder& b) {
                b.extra.emplace_back("extra/retort_eval.json", other.dump());
              }),
              HasSubstr("holds no tensor mine, which its graph reads"));
}

TEST_F(HostileProgram, RefusesRegionsWithinRegionsWithoutEnd) {
  Json graph = Pt2Builder().graph();
  for (int i = 0; i < 20; ++i) {
    Json outer = Pt2Builder().graph();
    outer["nodes"][1]["inputs"][0]["arg"] = {{"as_graph", {{"graph", graph}}}};
    graph = outer;
  }
  EXPECT_THAT(refusal_of([&](Pt2Builder& b) { b.graph() = graph; }), HasSubstr("net.pt2: "));
}

TEST_F(HostileProgram, TellsWhatLibTorchRefusesWithTheNode) {
  EXPECT_THAT(refusal_of([](Pt2Builder& b) { b.nodes()[2]["inputs"][1]["arg"]["as_int"] = 7; }),
              AllOf(HasSubstr("node flatten (torch.ops.aten.flatten.using_ints): "),
                    HasSubstr("Dimension")));
}

}  // namespace
}  // namespace retort::test
