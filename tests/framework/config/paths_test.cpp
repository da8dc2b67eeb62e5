#include "framework/config/paths.hpp"

#include <gmock/gmock.h>

#include "framework/config/load_tree.hpp"
#include "framework/config/resolved.hpp"
#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using PathsTest = ConfigTest;

TEST(PathName, IsAWordForOne) {
  for (const char* name : {"root", "file", "path", "folder", "dir", "directory", "train_file"}) {
    EXPECT_TRUE(is_path_name(name)) << name;
  }
  for (const char* name : {"", "profile", "roots", "mode", "_root_x"}) {
    EXPECT_FALSE(is_path_name(name)) << name;
  }
}

TEST_F(PathsTest, OfARunFolderAreAbsoluteWhereTheyLeadToSomething) {
  std::filesystem::create_directories("data/x");
  const auto resolved = [&](const std::string& root) {
    return to_toml(with_absolute_paths(load(kSmall, {"data.root=\"" + root + "\""}), folder_));
  };
  EXPECT_THAT(resolved("data/./x/"), HasSubstr("root = \"" + (folder_ / "data/x").string() + "\""));
  EXPECT_THAT(resolved("data/x/.."), HasSubstr("root = \"" + (folder_ / "data").string() + "\""));
  for (const char* kept : {"", "none", "/usr", "https://host/x", "s3://bucket"}) {
    EXPECT_THAT(resolved(kept), HasSubstr(std::string("root = \"") + kept + "\"")) << kept;
  }
  EXPECT_THAT(resolved(""), HasSubstr("out = \"" + (folder_ / "runs").string() + "\""));
}

TEST_F(PathsTest, ThatTomlCannotHoldStayAsTheyAre) {
  const std::filesystem::path odd = folder_ / "\xff";
  std::filesystem::create_directories(odd / "data");
  const std::string text = to_toml(with_absolute_paths(load(kSmall, {"data.root=data"}), odd));
  EXPECT_THAT(text, testing::AllOf(HasSubstr("root = \"data\""), HasSubstr("out = \"runs\"")));
}

TEST(PortableText, HasPathsRelativeToTheStart) {
  const std::string text =
      "name = \"/a/x\"\n[data]\ndataset = \"/a/x\"\nroot = \"/a/data\"\n[teacher]\n"
      "weights = \"/a/b/w\"\n[run]\nout = \"/a/runs\"\n";
  const std::string portable =
      "name = \"/a/x\"\n[data]\ndataset = \"/a/x\"\nroot = \"data\"\n[teacher]\n"
      "weights = \"b/w\"\n[run]\nout = \"runs\"\n";
  EXPECT_EQ(portable_text(text, "/a"), portable);
  EXPECT_EQ(portable_text(portable, "/a"), portable);
  EXPECT_EQ(portable_text(portable, ""), portable);
  EXPECT_EQ(portable_text(text, ""), text);
  EXPECT_EQ(portable_text("[data]\nroot = \"/ab/c\"\n", "/a"), "[data]\nroot = \"/ab/c\"\n");
  EXPECT_EQ(portable_text("[data]\nroot = \"./d/\"\n", "/a"), "[data]\nroot = \"d\"\n");
}

TEST(PortableText, HasThoseOfSeveralNetworksToo) {
  EXPECT_EQ(portable_text("[[teacher]]\nname = \"x\"\nweights = \"/a/w\"\n[[student]]\n"
                          "weights = \"/a/b/w\"\n[[transfer]]\nweights = \"/a/w\"\n",
                          "/a"),
            "[[teacher]]\nname = \"x\"\nweights = \"w\"\n[[student]]\nweights = \"b/w\"\n"
            "[[transfer]]\nweights = \"/a/w\"\n");
}

TEST_F(PathsTest, OfSeveralNetworksAreLookedForToo) {
  write("here/w.safetensors", "x");
  write("kd.toml",
        "[[teacher]]\nweights = \"/gone/w.safetensors\"\n[[teacher]]\n"
        "weights = \"/gone/v.safetensors\"\n");
  Diagnostics none;
  auto tree = config::load_tree("kd.toml", {}, none);
  const auto lost = anchor_paths(*tree, {"/gone", "", {folder_ / "here"}});
  const auto weights = [&](size_t i) { return tree->find("teacher")->items[i].find("weights"); };
  EXPECT_EQ(weights(0)->text, (folder_ / "here/w.safetensors").string());
  EXPECT_THAT(lost, ElementsAre(weights(1)));
}

TEST_F(PathsTest, AreLookedForWhereTheRunWasStarted) {
  const auto start_of = [&](const std::string& out, const std::filesystem::path& recorded) {
    load(kSmall, {"run.out=" + out});
    Diagnostics none;
    const auto tree = config::load_tree("kd.toml", {"run.out=" + out}, none);
    return find_start(*tree, "/p/runs/kd/001", recorded).searched;
  };
  EXPECT_THAT(start_of("runs", ""), ElementsAre(folder_, "/p"));
  EXPECT_THAT(start_of("out/runs", ""), ElementsAre(folder_));
  EXPECT_THAT(start_of("runs", "/usr"), ElementsAre("/usr", "/p", folder_));
  EXPECT_THAT(start_of("/gone/runs", "/gone"), ElementsAre(folder_, "/p"));
}

}  // namespace
}  // namespace retort::host
