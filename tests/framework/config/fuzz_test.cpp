#include <random>

#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

const std::string kValid = R"toml(name = "fuzz"
seed = 3
[data]
dataset = "fashion_mnist"
augment = ["crop(2)", "flip"]
normalize = { mean = [0.286], std = [0.353] }
[teacher]
model = "resnet"
train = { epochs = 3, optimizer = { name = "adam", betas = [0.9, 0.99] } }
[student]
model = "resnet"
shortcut = "B"
[[transfer]]
strategy = "logits.kd"
weight = { from = 100, to = 0, epochs = [1, 2] }
[[transfer]]
strategy = "feature.fitnet"
bind = { student = ["layer2"], teacher = ["layer3"] }
[train]
epochs = 3
schedule = { name = "multistep", milestones = [1, 2] }
no_decay = ["bias"]
[run]
threads = 0
)toml";

class FuzzTest : public ConfigTest {
 protected:
  /// A damaged file loads, or ends in a ConfigError with a text; nothing else.
  bool loads(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
      load(text, overrides);
      return true;
    } catch (const ConfigError& error) {
      EXPECT_GT(std::string(error.what()).size(), 20u);
      return false;
    }
  }
};

TEST_F(FuzzTest, EveryPrefixIsReadOrRefused) {
  ASSERT_TRUE(loads(kValid));
  int refused = 0;
  for (size_t size = 0; size < kValid.size(); ++size) refused += !loads(kValid.substr(0, size));
  EXPECT_GT(refused, 100);
}

TEST_F(FuzzTest, ManyNetworksLackingALineAreReadOrRefused) {
  ASSERT_TRUE(loads(kMany));
  int refused = 0;
  for (size_t begin = 0; begin < kMany.size();) {
    const size_t end = kMany.find('\n', begin) + 1;
    std::string text = kMany;
    refused += !loads(text.erase(begin, end - begin));
    begin = end;
  }
  EXPECT_GT(refused, 30);
}

TEST_F(FuzzTest, FlippedBytesAreReadOrRefused) {
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = round % 2 == 0 ? kValid : kMany;
    for (uint32_t flips = 1 + random() % 3; flips > 0; --flips) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    refused += !loads(text);
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(FuzzTest, DamagedOverridesAreReadOrRefused) {
  std::mt19937 random(2);
  const std::string valid = "transfer[0].weight={ from = 1, to = 0, epochs = [1, 2] }";
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string text = valid.substr(0, 1 + random() % valid.size());
    text[random() % text.size()] = static_cast<char>(random() % 256);
    refused += !loads(kValid, {text});
  }
  EXPECT_GT(refused, 300);
}

TEST_F(FuzzTest, DeepNestingIsRefused) {
  std::string dotted = "a";
  for (int i = 0; i < 200000; ++i) dotted += ".a";
  EXPECT_FALSE(loads(dotted + " = 1\n"));
  EXPECT_FALSE(loads("\"#\"." + dotted + " = 1\n"));
  EXPECT_FALSE(loads("x = \"\"\"\n\"\"\"\"\n'#'." + dotted + " = 1\n"));
  EXPECT_FALSE(loads("a = " + std::string(200000, '[')));
  EXPECT_FALSE(loads(kValid, {dotted + "=1"}));
  EXPECT_FALSE(loads(kValid, {"name={ " + dotted + " = 1 }"}));
}

TEST_F(FuzzTest, DotsAndBracketsInTextAndCommentsAreNoNesting) {
  const std::string dots(100, '.');
  const std::string braces(100, '{');
  EXPECT_TRUE(loads("# " + dots + braces + "\n" + kValid));
  EXPECT_EQ(mistake("name = \"" + dots + braces + "\"\n").find("nested"), std::string::npos);
  EXPECT_EQ(mistake("name = '''\n" + dots + "'''\n").find("nested"), std::string::npos);
}

TEST_F(FuzzTest, MalformedBytesAreRefused) {
  EXPECT_FALSE(loads(std::string("name = \"a\0b\"\n", 13)));
  EXPECT_FALSE(loads("name = \"\xff\xfe\"\n"));
  EXPECT_FALSE(loads("\xff\xfe" + kValid));
}

}  // namespace
}  // namespace retort::host
