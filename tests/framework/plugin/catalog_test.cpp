#include "framework/plugin/catalog.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/framework/plugin/zoo.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(Catalog, FindsGoodPluginsAmongBrokenOnes) {
  const test::Scratch folder;
  std::filesystem::copy_file(zoo("good"), folder.folder() / "m.retort");
  write_bytes(folder.folder() / "a.retort", "no library");
  write_bytes(folder.folder() / "z.retort", read_bytes(zoo("good")).substr(0, 3000));
  write_bytes(folder.folder() / "libfoo.so", "not looked at");
  const Catalog catalog = Catalog::scan({folder.folder()});
  ASSERT_NE(catalog.find(RETORT_KIND_STRATEGY, "test.good"), nullptr);
  EXPECT_EQ(catalog.find(RETORT_KIND_STRATEGY, "test.good")->file, folder.folder() / "m.retort");
  EXPECT_EQ(catalog.find(RETORT_KIND_MODEL, "test.good"), nullptr);
  EXPECT_THAT(catalog.problems(),
              ElementsAre(HasSubstr("a.retort: begins with"), HasSubstr("z.retort: is cut short")));
}

TEST(Catalog, RefusesASecondComponentOfTheSameName) {
  const test::Scratch folder;
  std::filesystem::copy_file(zoo("good"), folder.folder() / "a.retort");
  std::filesystem::copy_file(zoo("duplicate"), folder.folder() / "b.retort");
  const Catalog catalog = Catalog::scan({folder.folder()});
  EXPECT_THAT(catalog.components(), SizeIs(1));
  EXPECT_THAT(catalog.problems(),
              ElementsAre((folder.folder() / "b.retort").string() +
                          ": holds strategy \"test.good\", which " +
                          (folder.folder() / "a.retort").string() +
                          " already holds; remove one of the two files, or rename the component"));
}

TEST(Catalog, HasTheHostsOwnModelBeforeAPluginsOfItsName) {
  ComponentInfo other;
  other.kind = RETORT_KIND_MODEL;
  other.id = "exported";
  other.file = "other.retort";
  Catalog catalog = Catalog::of({other});
  catalog.add_built_in();
  ASSERT_THAT(catalog.components(), SizeIs(1));
  EXPECT_TRUE(catalog.components().front().built_in);
  EXPECT_THAT(catalog.problems(), ElementsAre(HasSubstr("which is the host's own")));
}

TEST(Catalog, RefusesAnOptionOfAReservedName) {
  const test::Scratch folder;
  std::filesystem::copy_file(zoo("good"), folder.folder() / "a.retort");
  const Catalog catalog = Catalog::scan({folder.folder()}, {{RETORT_KIND_STRATEGY, {"scale"}}});
  EXPECT_THAT(catalog.components(), SizeIs(0));
  EXPECT_THAT(catalog.problems(), ElementsAre(HasSubstr("has an option \"scale\", a name that")));
}

TEST(Catalog, SortsComponentsAndScansAFolderOnce) {
  const Catalog catalog = Catalog::scan({RETORT_ZOO_DIR, RETORT_ZOO_DIR "/../zoo"});
  EXPECT_THAT(catalog.folders(), SizeIs(1));
  EXPECT_TRUE(std::ranges::is_sorted(catalog.components(), {}, &ComponentInfo::id));
  EXPECT_NE(catalog.find(RETORT_KIND_STRATEGY, "test.throws"), nullptr);  // no code of it ran
  EXPECT_EQ(catalog.find(RETORT_KIND_STRATEGY, "test.exports"), nullptr);
}

TEST(Catalog, SaysWhichFolderIsMissingAndWhatNamedIt) {
  const test::Scratch folder;
  const std::filesystem::path none = folder.folder() / "none";
  EXPECT_THAT(Catalog::scan({none, folder.folder()}).problems(),
              ElementsAre(none.string() +
                          ": cannot be searched for plugins (No such file or directory); check "
                          "--plugins"));
  ::setenv("RETORT_PLUGIN_PATH", ("/opt/first:" + none.string()).c_str(), 1);
  const std::vector<std::string> problems = Catalog::scan({none}).problems();
  ::unsetenv("RETORT_PLUGIN_PATH");
  EXPECT_THAT(problems, ElementsAre(HasSubstr("; check RETORT_PLUGIN_PATH")));
}

TEST(Catalog, NamesTheFolderOfAFileThatIsNamedInItsPlace) {
  EXPECT_THAT(Catalog::scan({zoo("good")}).problems(),
              ElementsAre(HasSubstr(": is a file; in --plugins name its folder, " RETORT_ZOO_DIR)));
}

TEST(Catalog, SearchesTheListedFoldersBeforeItsOwn) {
  ::setenv("RETORT_PLUGIN_PATH", "/opt/first::/opt/second", 1);
  const auto folders = plugin_search_path();
  ::unsetenv("RETORT_PLUGIN_PATH");
  EXPECT_THAT(folders,
              ElementsAre("/opt/first", "/opt/second",
                          testing::ResultOf([](const auto& path) { return path.filename(); },
                                            std::filesystem::path("plugins"))));
  EXPECT_TRUE(folders.back().is_absolute());
}

}  // namespace
}  // namespace retort::host
