// What is wrong with views, and with who sees and compares them, each with its whole message.
#include <gmock/gmock.h>

#include "framework/config/resolved.hpp"
#include "tests/framework/config/one_case.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using ViewsMistakesTest = ConfigTest;

class ViewCaseTest : public OneCaseTest {};
TEST_P(ViewCaseTest, IsExact) {
  expect_after(
      "transfer = [{ strategy = \"logits.tf_kd\", view = \"default\" }]\n"
      "[student]\nmodel = \"resnet\"\nviews = [\"x\", \"default\"]\n" +
      kData);
}
INSTANTIATE_TEST_SUITE_P(
    Views, ViewCaseTest,
    testing::Values(
        Case{"views = 3", "kd.toml:7:9 data.views = 3 must be a table, not an integer"},
        Case{"[data.views]\nx = \"flip\"",
             "kd.toml:8:5 data.views.x \"flip\" must be a table, not text"},
        Case{"[data.views.x]\n[data.views.default]\naugment = []",
             "kd.toml:8:13 data.views.default is what [data] itself describes; give it another "
             "name"},
        Case{"[data.views.x]\n[data.views.\"a b\"]",
             "kd.toml:8:13 data.views \"a b\" must be letters, digits, \".\", \"_\" and \"-\", at "
             "most 100 and none of \".-\" first: it names files\nkd.toml:8:13 data.views.\"a b\" "
             "no network sees it; add it to the views of [student] or [teacher], or take it out\n2 "
             "mistakes; nothing was started."},
        Case{"[data.views.x]\nsize = 0",
             "kd.toml:8:8 data.views.x.size = 0 must be >= 1 and <= 16384; leave it out for the "
             "data's size"},
        Case{"[data.views.x]\nsize = 3.5",
             "kd.toml:8:8 data.views.x.size = 3.5 must be an integer, not a real number; leave it "
             "out for the data's size"},
        Case{"[data.views.x]\ntimes = 65",
             "kd.toml:8:9 data.views.x.times = 65 must be >= 1 and <= 64 (default 1)"},
        Case{"[data.views.x]\ntimes = 0",
             "kd.toml:8:9 data.views.x.times = 0 must be >= 1 and <= 64 (default 1)"},
        Case{"[data.views.x]\naugment = [\"flop\"]",
             "kd.toml:8:12 data.views.x.augment[0] \"flop\" unknown step; did you mean \"flip\"? "
             "known: crop(padding), flip, randaugment(operations, magnitude), erase(probability), "
             "rotations"},
        Case{"[data.views.x]\naugment = [\"flip\", \"rotations\"]",
             "kd.toml:7:1 data.views.x.times \"rotations\" turns the copies of a sample, and times "
             "= "
             "1 makes one; write times = 4"},
        Case{"augment = [\"rotations\"]\n[data.views.x]\nlike = \"default\"\ntimes = 4",
             "kd.toml:7:12 data.augment \"rotations\" turns the copies of a sample, and here is "
             "one; "
             "put it into a [data.views.NAME] with times = 4"},
        Case{"[data.views.x]\nzoom = 2",
             "kd.toml:8:1 data.views.x.zoom unknown key known: augment, like, size, times"},
        Case{"[data.views.x]\nlike = \"default\"\naugment = []",
             "kd.toml:9:1 data.views.x.augment is that of the view it is like; keep one of the two "
             "keys"},
        Case{"[data.views.x]\nlike = \"defalt\"",
             "kd.toml:8:8 data.views.x.like \"defalt\" unknown view; did you mean \"default\"? "
             "known: default"},
        Case{"[data.views.x]\nlike = \"\"",
             "kd.toml:8:8 data.views.x.like \"\" unknown view known: default"},
        Case{"[data.views.x]\nlike = \"x\"",
             "kd.toml:8:8 data.views.x.like \"x\" is the view itself; name another one"},
        Case{"[data.views.x]\nlike = 1",
             "kd.toml:8:8 data.views.x.like = 1 must be text in quotes, not an integer"},
        Case{"[data.views.x]\nlike = \"y\"\n[data.views.y]\nlike = \"x\"",
             "kd.toml:8:8 data.views.x.like \"y\" goes in a circle: x -> y -> x"},
        Case{"[data.views.x]\n[data.views.y]",
             "kd.toml:8:13 data.views.y no network sees it; add it to the views of [student] or "
             "[teacher], or take it out"},
        Case{"cutmix = 1\n[data.views.x]\nsize = 8",
             "kd.toml:4:15 student.views[1] \"default\" has the data's size and \"x\" 8 pixels; a "
             "network is built for one size\nkd.toml:9:8 data.views.x.size = 8 data.cutmix pastes "
             "one box of pixels into all views, which needs one size; set it to 0, or leave the "
             "size out\n2 mistakes; nothing was started."},
        Case{"[data.views.x]\nsize = 8",
             "kd.toml:4:15 student.views[1] \"default\" has the data's size and \"x\" 8 pixels; a "
             "network is built for one size"}));

const std::string kViews = kData + "[data.views.strong]\naugment = [\"flip\"]\n";
const std::string kSecondSeen = kViews +
                                "[student]\nmodel = \"resnet\"\nviews = [\"default\", \"strong\"]\n"
                                "[teacher]\nmodel = \"resnet\"\nviews = [\"default\", \"strong\"]\n"
                                "[[transfer]]\nstrategy = \"logits.kd\"\n";

TEST_F(ViewsMistakesTest, OfASecondViewThatNoTransferComparesNameWhereItIsListed) {
  EXPECT_EQ(mistake(kSecondSeen),
            "kd.toml:7:21 student.views[1] \"strong\" no [[transfer]] compares it; name it in one, "
            "view = { student = \"strong\" }, or take it out\n"
            "kd.toml:10:21 teacher.views[1] \"strong\" no [[transfer]] compares it; name it in "
            "one, view = { teacher = \"strong\" }, or take it out\n"
            "2 mistakes; nothing was started.");
  EXPECT_EQ(mistake(kSecondSeen + "view = { student = \"strong\" }\n"),
            "kd.toml:10:21 teacher.views[1] \"strong\" no [[transfer]] compares it; name it in "
            "one, view = { teacher = \"strong\" }, or take it out");
  EXPECT_EQ(mistake(kSecondSeen + "view = \"strong\"\n"), "");
}

TEST_F(ViewsMistakesTest, OfASecondViewNameItsNetworkAmongSeveral) {
  EXPECT_EQ(mistake(kViews +
                    "[[student]]\nname = \"a\"\nmodel = \"resnet\"\n[[student]]\nname = \"b\"\n"
                    "model = \"resnet\"\nviews = [\"strong\", \"default\"]\n"
                    "[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"a\"\nteacher = \"b\"\n"),
            "kd.toml:11:20 student[1].views[1] \"default\" no [[transfer]] compares it; name it in "
            "one, view = { student = \"default\" }, or take it out");
}

/// A peer's view is compared where it teaches, and each of several teachers' is.
TEST_F(ViewsMistakesTest, OfASecondViewAreNoneWhereItsNetworkTeachesOnIt) {
  const std::string peers =
      "[[student]]\nname = \"a\"\nmodel = \"resnet\"\n[[student]]\nname = "
      "\"b\"\nmodel = \"resnet\"\nviews = [\"default\", \"strong\"]\n";
  EXPECT_EQ(mistake(kViews + peers +
                    "[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"a\"\nteacher = \"b\"\n"
                    "view = { teacher = \"strong\" }\n"),
            "");
}

/// Neither the file nor the command line is wrong, and a resumed run reads what is left.
TEST_F(ViewsMistakesTest, OfASecondViewAreNoneWhereTheCommandLineComparesAnother) {
  const std::string text = kSecondSeen + "view = \"strong\"\n";
  const Experiment experiment = load(text, {"transfer[0].view=default"});
  EXPECT_THAT(experiment.students.at(0).views, ElementsAre("default"));
  EXPECT_THAT(experiment.teachers.at(0).views, ElementsAre("default"));
  EXPECT_THAT(experiment.data.views, IsEmpty());
  EXPECT_EQ(mistake(to_toml(experiment)), "");
  EXPECT_THAT(load(text, {"transfer=[]"}).students.at(0).views, ElementsAre("default"));
  EXPECT_EQ(
      mistake(text + "[sweep]\nkeys = { \"transfer[0].view\" = [\"default\", \"strong\"] }\n"), "");
  EXPECT_EQ(load(text, {"transfer[0].temperature=2"}).data.views.size(), 1u);
}

TEST_F(ViewsMistakesTest, OfASecondViewAreNoneWhereNothingIsTrained) {
  write("kd.toml", kSecondSeen);
  const ExperimentFile file("kd.toml", {}, catalog_);
  EXPECT_EQ(file.load(Purpose::Evaluate).students.at(0).views.size(), 2u);
  EXPECT_THROW(file.load(), MistakesError);
}

/// Views that are named elsewhere may be the one whose name is wrong.
TEST_F(ViewsMistakesTest, OfANameThatNoViewMayHaveAreToldAlone) {
  const std::string empty =
      "kd.toml:6:13 data.views \"\" must be letters, digits, \".\", \"_\" and \"-\", at most 100 "
      "and none of \".-\" first: it names files";
  const std::string usual =
      "kd.toml:6:13 data.views.default is what [data] itself describes; give it another name";
  for (const std::string views : {"[]", "[\"strong\"]", "[\"\", \"default\"]", "[\"defalt\"]"}) {
    const std::string student = "[student]\nmodel = \"resnet\"\n" +
                                (views == "[]" ? "\n" : "views = " + views + "\n") + kData;
    for (const std::string like : {"", "like = \"default\"\n", "like = \"\"\n", "like = \"x\"\n"}) {
      EXPECT_EQ(mistake(student + "[data.views.\"\"]\n" + like), empty) << views << like;
      EXPECT_EQ(mistake(student + "[data.views.default]\n" + like), usual) << views << like;
    }
  }
}

}  // namespace
}  // namespace retort::host
