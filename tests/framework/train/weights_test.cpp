#include "framework/train/weights.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "framework/error.hpp"
#include "tests/framework/data/scratch.hpp"
#include "tests/framework/train/train_rig.hpp"

namespace retort::test {
namespace {

using host::NamedTensor;
using testing::HasSubstr;

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

TEST(Weights, ThatAreNoFloatsAreRefused) {
  const Scratch scratch;
  const auto from = teacher(), to = student();
  const auto file = saved(scratch, *from, [](std::vector<NamedTensor>& tensors) {
    tensors[0].second = tensors[0].second.to(at::kLong);
  });
  EXPECT_THAT(message_of<host::DataError>([&] { host::load_weights(to->parameters(), file, {}); }),
              HasSubstr("conv1.weight is I64 in the file, not a float"));
}

}  // namespace
}  // namespace retort::test
