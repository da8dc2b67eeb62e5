// Every operator that the SDK wraps exists in the LibTorch that this host is built with.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/bridge/operators.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

using Names = std::set<std::pair<std::string, std::string>>;

void add_matches(Names& names, const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  for (auto match = std::sregex_iterator(text.begin(), text.end(), regex);
       match != std::sregex_iterator(); ++match) {
    names.emplace((*match)[1].str(), (*match)[2].str());
  }
}

/// The names listed with a macro, in the overloads that the macro's present definition finds.
void add_macro(Names& names, const std::string& text, const std::string& macro) {
  const std::regex block("#define " + macro + R"(\(name\)([\s\S]*?)#undef )" + macro);
  for (auto found = std::sregex_iterator(text.begin(), text.end(), block);
       found != std::sregex_iterator(); ++found) {
    Names overloads, listed;
    const std::string body = (*found)[1].str();
    add_matches(overloads, body, R"re("(aten::)" #name(?:, "(\w+)")?)re");
    add_matches(listed, body, macro + R"(\((\w+)\)())");
    for (const auto& [name, unused] : listed) {
      for (const auto& [prefix, overload] : overloads) names.emplace(prefix + name, overload);
    }
  }
}

Names wrapped_operators() {
  Names names;
  const std::filesystem::path folder = RETORT_SOURCE_DIR "/sdk/include/retort/ops";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string text = content_of(entry.path());
    add_matches(names, text, R"re(op\("((?:aten|retort)::\w+)"(?:, "(\w+)")?\))re");
    add_macro(names, text, "RETORT_UNARY_OP");
    add_macro(names, text, "RETORT_BINARY_OP");
  }
  return names;
}

TEST(Contract, WrapsTheUsualOperators) {
  const Names names = wrapped_operators();
  EXPECT_GE(names.size(), 80u);
  EXPECT_TRUE(names.count({"aten::relu", ""}));
  EXPECT_TRUE(names.count({"aten::add", "Scalar"}));
  EXPECT_TRUE(names.count({"aten::maximum", ""}));
  EXPECT_TRUE(names.count({"aten::log_softmax", "int"}));
}

// What a component uses beyond them must be declared.
TEST(Contract, IsKnownToTheHost) {
  std::vector<std::string> full;
  for (const auto& [name, overload] : wrapped_operators())
    full.push_back(overload.empty() ? name : name + "." + overload);
  std::sort(full.begin(), full.end());
  EXPECT_THAT(host::wrapped_operators(), testing::ElementsAreArray(full))
      << "correct framework/bridge/wrapped_operators.cpp";
}

TEST(Contract, WrapsOnlyOperatorsThatExist) {
  for (const auto& [name, overload] : wrapped_operators()) {
    EXPECT_NO_THROW(host::find_operator(name, overload)) << name << "." << overload;
  }
}

TEST(Contract, WrapsNoOperatorThatDrawsOrWrites) {
  for (const auto& [name, overload] : wrapped_operators()) {
    const host::Operator& op = host::find_operator(name, overload);
    EXPECT_FALSE(op.random) << op.name;
    EXPECT_FALSE(op.mutates) << op.name;
  }
}

}  // namespace
}  // namespace retort::test
