#include "framework/train/weights.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <limits>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"
#include "tests/framework/train/train_rig.hpp"

namespace retort::test {
namespace {

using host::NamedTensor;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const host::ImageData& images() {
  static const host::ImageData data = learnable_images();
  return data;
}
std::unique_ptr<host::Network> student() { return make_network("student", images()); }
std::unique_ptr<host::Network> teacher() { return make_network("teacher", images()); }

/// Writes a network's weights after `change` edited the list.
template <class Change>
std::filesystem::path saved(const Scratch& scratch, host::Network& network, Change change) {
  std::vector<NamedTensor> tensors = host::named_weights(network.parameters());
  change(tensors);
  host::save_tensors(scratch.path("weights.safetensors"), tensors, {});
  return scratch.path("weights.safetensors");
}
std::filesystem::path saved(const Scratch& scratch, host::Network& network) {
  return saved(scratch, network, [](auto&) {});
}

bool same(host::Network& a, host::Network& b) {
  for (const host::Parameter& parameter : a.parameters().all()) {
    if (!parameter.master.equal(b.parameters().find(parameter.name)->master)) return false;
  }
  return true;
}

/// What is told when the network is to take this file; "" where it does.
std::string refusal(host::Network& network, const std::filesystem::path& file,
                    const host::RenameRules& rename = {}) {
  return message_of<host::DataError>(
      [&] { host::load_weights(network.parameters(), file, rename); });
}

TEST(Weights, ComeBackAsTheyWereSaved) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  EXPECT_FALSE(same(*from, *to));
  host::load_weights(to->parameters(), saved(scratch, *from), {});
  EXPECT_TRUE(same(*from, *to));
}

TEST(Weights, HaveTheSameBytesWhenSavedAgain) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const std::string bytes = content_of(saved(scratch, *from));
  host::load_weights(to->parameters(), scratch.path("weights.safetensors"), {});
  EXPECT_EQ(content_of(saved(scratch, *to)), bytes);
}

TEST(Tensors, OfEveryTypeComeBackAsTheyWereSaved) {
  const Scratch scratch;
  std::vector<NamedTensor> saved;
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kShort, at::kChar, at::kByte, at::kBool})
    saved.emplace_back(at::toString(type), at::arange(5, at::kFloat).to(type));
  host::save_tensors(scratch.path("tensors.safetensors"), saved, {});
  const auto loaded = host::load_tensors(scratch.path("tensors.safetensors"));
  const std::map<std::string, at::Tensor> by_name(loaded.begin(), loaded.end());
  EXPECT_EQ(by_name.size(), saved.size());
  for (const auto& [name, tensor] : saved) {
    EXPECT_EQ(by_name.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(by_name.at(name).equal(tensor)) << name;
  }
}

TEST(Tensors, OfATypeThatCannotBeReadAgainAreNotSaved) {
  const Scratch scratch;
  EXPECT_THAT(message_of<host::DataError>([&] {
                host::save_tensors(scratch.path("tensors.safetensors"),
                                   {{"phase", at::zeros({2}, at::kComplexFloat)}}, {});
              }),
              HasSubstr("phase is a tensor of ComplexFloat"));
}

TEST(Weights, AreSavedRowMajorWhateverTheirMemoryFormat) {
  const Scratch scratch;
  host::Placement last;
  last.channels_last = true;
  const auto plain = student(), turned = make_network("student", images(), last);
  const std::string bytes = content_of(saved(scratch, *plain));
  EXPECT_EQ(content_of(saved(scratch, *turned)), bytes);
}

TEST(Weights, OfAnotherFloatTypeAreConverted) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from, [](std::vector<NamedTensor>& tensors) {
    tensors[0].second = tensors[0].second.to(at::kBFloat16);
    tensors[1].second = tensors[1].second.to(at::kDouble);
  });
  host::load_weights(to->parameters(), file, {});
  const auto& now = to->parameters().all();
  const auto& before = from->parameters().all();
  EXPECT_TRUE(now[0].master.equal(before[0].master.to(at::kBFloat16).to(at::kFloat)));
  EXPECT_TRUE(now[1].master.equal(before[1].master));
}

TEST(Weights, AreRenamedByPrefixAtADot) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from, [](std::vector<NamedTensor>& tensors) {
    for (auto& [name, tensor] : tensors) {
      if (name.starts_with("fc.")) name = "linear" + name.substr(2);
    }
  });
  host::load_weights(to->parameters(), file, {{"linear", "fc"}, {"conv", "nothing"}});
  EXPECT_TRUE(same(*from, *to));
}

TEST(RenameWeight, UnderstandsTheDotOnEitherSide) {
  const auto renamed = [](const std::string& name, const host::RenameRules& rules) {
    return host::rename_weight(name, rules);
  };
  for (const char* from : {"module", "module."}) {
    EXPECT_EQ(renamed("module.fc.bias", {{from, ""}}), "fc.bias");
    EXPECT_EQ(renamed("module.fc.bias", {{from, "net"}}), "net.fc.bias");
    EXPECT_EQ(renamed("module.fc.bias", {{from, "net."}}), "net.fc.bias");
    EXPECT_EQ(renamed("modules.fc.bias", {{from, ""}}), "modules.fc.bias");
  }
  EXPECT_EQ(renamed("fc.bias", {{"", "net"}}), "net.fc.bias");
  EXPECT_EQ(renamed("fc.bias", {{"fc.bias", "head.bias"}}), "head.bias");
  EXPECT_EQ(renamed("a.b.w", {{"a", "x"}, {"a.b", "y"}}), "y.w");
  EXPECT_EQ(renamed("a.b.w", {{"a.", "x"}, {"a.b", "y"}}), "y.w");
}

TEST(Weights, TellOfRulesThatFitNoName) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from);
  EXPECT_TRUE(host::find_unused_rules(file, {}).empty());
  EXPECT_THAT(
      host::find_unused_rules(file, {{"fc", "fc"}, {"modul", "fc"}, {"bn11", "bn1"}}),
      testing::ElementsAre(
          AllOf(HasSubstr("\"bn11\" begins no name"), HasSubstr("did you mean \"bn1\"?")),
          AllOf(HasSubstr("\"modul\" begins no name"), HasSubstr("names begin with bn1, "))));
  const auto wrong = saved(scratch, *from, [](auto& tensors) { tensors[0].first = "c.weight"; });
  EXPECT_THAT(refusal(*to, wrong, {{"d", "conv1"}}), HasSubstr("rename: \"d\" begins no name"));
}

TEST(Weights, ThatARenameMakesOneOfTwoAreTold) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from, [](std::vector<NamedTensor>& tensors) {
    tensors.emplace_back("head.bias", at::zeros({10}));
  });
  EXPECT_THAT(refusal(*to, file, {{"head", "fc"}}),
              HasSubstr("two of one name (1): fc.bias from fc.bias and head.bias"));
  EXPECT_TRUE(same(*to, *student()));
}

TEST(Weights, LeaveOutPyTorchsBatchCounters) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from, [](std::vector<NamedTensor>& tensors) {
    tensors.emplace_back("bn1.num_batches_tracked", at::zeros({}, at::kLong));
  });
  host::load_weights(to->parameters(), file, {});
  EXPECT_TRUE(same(*from, *to));
}

TEST(Weights, ThatDoNotFitAreAllListedAndChangeNothing) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from, [](std::vector<NamedTensor>& tensors) {
    for (auto& [name, tensor] : tensors) {
      if (name == "conv1.weight") tensor = at::zeros({16, 2, 3, 3}, at::kFloat);
      if (name == "fc.bias") name = "head.bias";
    }
  });
  const std::string message =
      message_of<host::DataError>([&] { host::load_weights(to->parameters(), file, {}); });
  EXPECT_THAT(message, HasSubstr(file.string() + ": these weights do not fit the student"));
  EXPECT_THAT(message, HasSubstr("missing (1): fc.bias"));
  EXPECT_THAT(message, HasSubstr("unexpected (1): head.bias"));
  EXPECT_THAT(message, HasSubstr("wrongly shaped (1): conv1.weight [16, 2, 3, 3] in the file, "
                                 "[16, 1, 3, 3] in the model"));
  EXPECT_TRUE(same(*to, *student()));
}

TEST(Weights, OfATypeThatIsNotReadSayTheirTypeAndWhichAre) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from, [](std::vector<NamedTensor>& tensors) {
    tensors[0].second = tensors[0].second.to(at::kLong);
  });
  EXPECT_THAT(refusal(*to, file),
              AllOf(HasSubstr("of a type that is not read (1): conv1.weight is I64\n"),
                    HasSubstr("weights are read from F32, F64, F16 and BF16"),
                    Not(HasSubstr("wrongly shaped")), Not(HasSubstr("rename"))));
}

TEST(Weights, OfEveryTypeOfTheFormatAreReadOrRefusedByIt) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from);
  const auto whole = host::SafetensorsFile::open(file);
  const std::vector<uint8_t> zeros(2 * whole.find("conv1.weight")->bytes);
  for (int i = 0; i <= static_cast<int>(host::SafeDtype::U64); ++i) {
    std::vector<host::SafeTensorView> views = whole.tensors();
    const auto first = std::find_if(views.begin(), views.end(),
                                    [](const auto& view) { return view.name == "conv1.weight"; });
    const int64_t elements = static_cast<int64_t>(first->bytes / 4);
    first->dtype = static_cast<host::SafeDtype>(i);
    first->data = zeros.data();
    first->bytes = static_cast<size_t>(elements) * host::safe_dtype_bits(first->dtype) / 8;
    const std::string type(host::safe_dtype_name(first->dtype));
    host::write_safetensors(scratch.path("other.safetensors"), views, {});
    const bool read = type == "F16" || type == "BF16" || type == "F32" || type == "F64";
    EXPECT_EQ(refusal(*to, scratch.path("other.safetensors")).empty(), read) << type;
    if (read) continue;
    EXPECT_THAT(refusal(*to, scratch.path("other.safetensors")),
                HasSubstr("(1): conv1.weight is " + type + "\n"));
  }
}

TEST(Weights, ThatAreNotFiniteAreNamedWithTheFirstPlaceAndChangeNothing) {
  const Scratch scratch;
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble}) {
    const auto from = teacher(), to = student();
    const auto file = saved(scratch, *from, [&](std::vector<NamedTensor>& tensors) {
      tensors[0].second = tensors[0].second.clone();
      tensors[0].second[2][0][1][0] = std::numeric_limits<float>::quiet_NaN();
      tensors[0].second[3][0][1][0] = -std::numeric_limits<float>::infinity();
      tensors[0].second = tensors[0].second.to(type);
    });
    EXPECT_THAT(
        refusal(*to, file),
        AllOf(HasSubstr(file.string() + ": no network can compute with these weights: "),
              HasSubstr("conv1.weight: 2 of 144 values are not finite in float32, the first "
                        "is nan at [2, 0, 1, 0]; fetch")));
    EXPECT_TRUE(same(*to, *student()));
  }
}

TEST(Weights, BeyondFloat32AndBelowVarianceZeroAreNamed) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from, [&](std::vector<NamedTensor>& tensors) {
    for (auto& [name, tensor] : tensors) {
      if (name == "fc.bias") (tensor = tensor.to(at::kDouble))[4] = -1e300;
      if (name == "bn1.running_var") (tensor = tensor.clone())[3] = -0.25;
      if (name == "bn1.running_mean") (tensor = tensor.clone())[3] = -0.25;
    }
  });
  const std::string told = refusal(*to, file);
  EXPECT_THAT(told,
              AllOf(HasSubstr("\n  fc.bias: 1 of 10 values are not finite in float32, the first "
                              "is -1e+300 at [4]"),
                    HasSubstr("\n  bn1.running_var: 1 of 16 variances are below 0, the first is "
                              "-0.25 at [3]"),
                    Not(HasSubstr("running_mean"))));
}

TEST(Weights, OfAFileWithoutTensorsAreMissing) {
  const Scratch scratch;
  host::save_tensors(scratch.path("empty.safetensors"), {}, {});
  EXPECT_THAT(refusal(*student(), scratch.path("empty.safetensors")),
              AllOf(HasSubstr("the file holds no tensor"), HasSubstr("missing (")));
}

}  // namespace
}  // namespace retort::test
