// What is wrong with lists of networks, each with its whole message.
#include <gmock/gmock.h>

#include "tests/framework/config/one_case.hpp"

namespace retort::host {
namespace {

using testing::HasSubstr;

class ListCaseTest : public OneCaseTest {};
TEST_P(ListCaseTest, IsExact) { expect_after(kData); }
INSTANTIATE_TEST_SUITE_P(
    Networks, ListCaseTest,
    testing::Values(
        Case{"[student]\nmodel = \"resnet\"\n[[teacher]]",
             "kd.toml:5:1 teacher[0].model missing; one of: convnet, resnet"},
        Case{"[student]\nmodel = \"resnet\"\nname = 3",
             "kd.toml:5:8 student.name = 3 must be text in quotes, not an integer"},
        Case{"[student]\nmodel = \"resnet\"\nname = \"a/b\"",
             "kd.toml:5:8 student.name \"a/b\" must be letters, digits, \".\", \"_\" and \"-\", at "
             "most 100 and none of \".-\" first: it names files"},
        Case{"[student]\nmodel = \"resnet\"\nname = \"task\"",
             "kd.toml:5:8 student.name \"task\" is what the host calls a network, phase or value "
             "of its own; give it another name: name = \"my.task\""},
        Case{"[student]\nmodel = \"resnet\"\nname = \"distil\"",
             "kd.toml:5:8 student.name \"distil\" is what the host calls a network, phase or value "
             "of its own; give it another name: name = \"my.distil\""},
        Case{"[student]\nmodel = \"resnet\"\nname = \"alone.x\"",
             "kd.toml:5:8 student.name \"alone.x\" is what the host calls a network, phase or "
             "value of its own; give it another name: name = \"my.alone.x\""},
        Case{"[student]\nmodel = \"resnet\"\nname = \"teacher\"",
             "kd.toml:5:8 student.name \"teacher\" is what the host calls a network, phase or "
             "value of its own; give it another name: name = \"my.teacher\""},
        Case{"[student]\nmodel = \"resnet\"\n[teacher]\nmodel = \"resnet\"\nname = \"student\"",
             "kd.toml:7:8 teacher.name \"student\" is what the host calls a network, phase or "
             "value of its own; give it another name: name = \"my.student\""},
        Case{"[student]\nmodel = \"resnet\"\nname = \"x\"\n[teacher]\nmodel = \"resnet\"\nname = "
             "\"x\"",
             "kd.toml:8:8 teacher.name \"x\" an earlier student has this name; give one of them "
             "another: name = \"x.2\""},
        Case{"[[transfer]]\nstrategy = \"logits.tf_kd\"\n[student]\nmodel = \"resnet\"\nname = "
             "\"logits.tf_kd\"",
             "kd.toml:7:8 student.name \"logits.tf_kd\" an earlier transfer has this name; give "
             "one of them another: name = \"logits.tf_kd.2\""},
        Case{"[student]\nmodel = \"resnet\"\nname = \"x\"\n[[transfer]]\nstrategy = "
             "\"logits.tf_kd\"\nname = \"x\"",
             "kd.toml:8:8 transfer[0].name \"x\" an earlier student has this name; give one of "
             "them another: name = \"x.2\""},
        Case{"[[student]]\nmodel = \"resnet\"\n[[student]]\nmodel = \"resnet\"\nname = \"b\"",
             "kd.toml:3:1 student[0].name missing; there are 2, and each needs one: name = "
             "\"student.2\""},
        Case{"[[student]]\nmodel = \"resnet\"\nname = \"b\"\n[[student]]\nmodel = \"resnet\"\nname "
             "= \"b\"",
             "kd.toml:8:8 student[1].name \"b\" an earlier student has this name; give one of them "
             "another: name = \"b.2\""},
        Case{"[[student]]\nmodel = \"resnet\"\nname = \"b\"\n[[student]]\nmodel = \"resnet\"\nname "
             "= \"c\"\ntrain = { epochs = 2 }",
             "kd.toml:9:1 student[1].train the student is trained as [train] says; move the keys "
             "there"},
        Case{"[[student]]\nmodel = \"resnet\"\nname = \"b\"\n[[student]]\nmodel = \"resnet\"\nname "
             "= \"c\"\ndepht = 8",
             "kd.toml:9:1 student[1].depht unknown key; did you mean \"depth\"? known: depth, "
             "width, shortcut"},
        Case{"[[student]]\nmodel = \"resnet\"\nname = \"b\"\n[[student]]\nmodel = \"resnet\"\nname "
             "= \"c\"\n[[transfer]]\nstrategy = \"logits.tf_kd\"\nname = \"task.c\"\nstudent = "
             "\"b\"",
             "kd.toml:11:8 transfer[0].name \"task.c\" is what the task of \"c\" is called in "
             "metrics; give it another name: name = \"task.c.2\""},
        Case{"[student]\nmodel = \"resnet\"\n[teacher]\nmodel = \"resnet\"\nmode = \"trian\"",
             "kd.toml:7:8 teacher.mode \"trian\" must be one of \"evaluate\", \"train\" (default "
             "\"evaluate\"); did you mean \"train\"?"},
        Case{"[student]\nmodel = \"resnet\"\nviews = \"default\"",
             "kd.toml:5:9 student.views \"default\" must be a list of names, not text"},
        Case{"[student]\nmodel = \"resnet\"\nviews = []",
             "kd.toml:5:9 student.views must have at least one name"},
        Case{"[student]\nmodel = \"resnet\"\nviews = [\"default\", 1]",
             "kd.toml:5:21 student.views[1] = 1 must be text in quotes, not an integer"},
        Case{"[student]\nmodel = \"resnet\"\nviews = [\"default\", \"default\"]",
             "kd.toml:5:21 student.views[1] \"default\" given twice; name it once"},
        Case{"[student]\nmodel = \"resnet\"\nviews = [\"defalt\"]",
             "kd.toml:5:10 student.views[0] \"defalt\" unknown view; did you mean \"default\"? "
             "known: default"},
        Case{"[student]\nmodel = \"resnet\"\nviews = [\"strong\"]",
             "kd.toml:5:10 student.views[0] \"strong\" unknown view known: default"},
        Case{"[student]\nmodel = \"resnet\"\n[teacher]\nmodel = \"resnet\"\n[[phase]]\nname = "
             "\"one\"",
             "kd.toml:5:1 teacher no [[transfer]] has it as its teacher; add one, or take it out"},
        Case{"[student]\nmodel = \"resnet\"\n[[teacher]]\nname = \"x\"\nmodel = "
             "\"resnet\"\n[[teacher]]\nname = \"y\"\nmodel = \"resnet\"\n[[transfer]]\nstrategy = "
             "\"logits.kd\"\nteacher = \"y\"",
             "kd.toml:6:8 teacher[0].name \"x\" no [[transfer]] has it as its teacher; add one, or "
             "take it out"}));

using NetworksMistakesTest = ConfigTest;
const std::string kKd = "[[transfer]]\nstrategy = \"logits.kd\"\n";

TEST_F(NetworksMistakesTest, OfListsThatAreNone) {
  EXPECT_EQ(mistake("student = []\n" + kData),
            "kd.toml:1:11 student must have at least one; write [student]");
  EXPECT_EQ(mistake("student = 3\n" + kData),
            "kd.toml:1:11 student = 3 must be a table, not an integer");
  EXPECT_EQ(mistake("student = [3]\n" + kData),
            "kd.toml:1:12 student[0] = 3 must be a table, not an integer");
  EXPECT_EQ(mistake("teacher = []\n" + kSmall + kKd),
            "kd.toml:1:11 teacher must have at least one; write [teacher]");
  EXPECT_EQ(mistake("teacher = 3\n" + kSmall + kKd),
            "kd.toml:1:11 teacher = 3 must be a table, not an integer");
  EXPECT_EQ(mistake("phase = 3\n" + kSmall),
            "kd.toml:1:9 phase = 3 must be a list: write [[phase]] above each");
  EXPECT_EQ(
      mistake("phase = []\n" + kSmall),
      "kd.toml:1:9 phase must have at least one; write [[phase]] above each, or leave it out");
  EXPECT_EQ(mistake("phase = [3]\n" + kSmall),
            "kd.toml:1:10 phase[0] = 3 must be a table, not an integer");
  EXPECT_EQ(mistake("[[data]]\n[student]\nmodel = \"resnet\"\n"),
            "kd.toml:1:1 data there is only one; write [data]");
}

TEST_F(NetworksMistakesTest, OfAMissingTeacherNameAPeerWhereThereIsOne) {
  EXPECT_EQ(
      mistake(kData +
              "[[student]]\nname = \"a\"\nmodel = \"resnet\"\n[[student]]\n"
              "name = \"b\"\nmodel = \"resnet\"\n" +
              kKd + "student = \"a\"\n"),
      "kd.toml teacher missing, and transfer[0] needs one; add [teacher] with a model, or name "
      "a peer in it: teacher = \"b\"");
}

TEST_F(NetworksMistakesTest, OfAStudentThatNobodyUses) {
  const std::string text = kData +
                           "[[student]]\nname = \"a\"\nmodel = \"resnet\"\n[[student]]\n"
                           "name = \"b\"\nmodel = \"resnet\"\n[[phase]]\nname = \"one\"\n"
                           "learn = [\"a\"]\n";
  EXPECT_EQ(
      mistake(text),
      "kd.toml:7:8 student[1].name \"b\" no [[phase]] trains it and no [[transfer]] has it as "
      "its teacher; take it out, or add it to a phase's learn");
  EXPECT_EQ(mistake(text + kKd + "student = \"a\"\nteacher = \"b\"\n"),
            "kd.toml:7:8 student[1].name \"b\" no [[phase]] trains it: a network that only teaches "
            "is a [[teacher]]");
}

/// It would teach from its start values.
TEST_F(NetworksMistakesTest, OfAStudentThatTeachesBeforeItHasLearnt) {
  const std::string first =
                        "[[phase]]\nname = \"one\"\nlearn = [\"a\"]\nterms = [\"task\", \"x\"]\n",
                    second = "[[phase]]\nname = \"two\"\nlearn = [\"b\"]\nterms = [\"task\"]\n";
  const std::string text = kData +
                           "[[student]]\nname = \"a\"\nmodel = \"resnet\"\n[[student]]\n"
                           "name = \"b\"\nmodel = \"resnet\"\n" +
                           kKd + "name = \"x\"\nstudent = \"a\"\nteacher = \"b\"\n";
  EXPECT_EQ(mistake(text + first + second),
            "kd.toml:14:1 phase[0] \"b\" teaches here by \"x\" and has learnt nothing: it has no "
            "weights, and no phase up to this one trains it; put such a phase before, or add it to "
            "learn");
  EXPECT_EQ(mistake(text + second + first), "");
}

/// It is where another one's draws come from.
TEST_F(NetworksMistakesTest, OfAViewAreNoneWhereOneThatIsLikeItIsSeen) {
  EXPECT_EQ(mistake(kData + "[data.views.base]\naugment = [\"flip\"]\n[data.views.large]\n"
                            "like = \"base\"\nsize = 16\n[student]\nmodel = \"resnet\"\n"
                            "views = [\"large\"]\n"),
            "");
}

TEST_F(NetworksMistakesTest, OfTheUsualPhaseNameTheStudentThatLearnsNothing) {
  EXPECT_EQ(mistake(kData +
                    "[[student]]\nname = \"a\"\nmodel = \"resnet\"\n[[student]]\n"
                    "name = \"b\"\nmodel = \"resnet\"\n" +
                    kKd + "student = \"a\"\nteacher = \"b\"\n[task]\nweight = 0\n"),
            "kd.toml:14:10 task.weight = 0 no [[transfer]] to \"b\" has a weight either: it would "
            "learn nothing");
}

/// What follows from one is not told beside it.
TEST_F(NetworksMistakesTest, OfANameDoNotSpread) {
  const std::string phase = "[[phase]]\nname = \"one\"\nterms = [\"logits.kd\"]\n";
  EXPECT_EQ(mistake(kWithTeacher + "[[transfer]]\nstrategy = \"logits.dk\"\n" + phase +
                    "learn = [\"student\", \"logits.kd\"]\n"),
            "kd.toml:8:12 transfer[0].strategy \"logits.dk\" in no plugin; did you mean "
            "\"logits.dkd\"?");
  EXPECT_EQ(mistake(kWithTeacher + kKd + "teacher = \"teachr\"\n" + phase),
            "kd.toml:9:11 transfer[0].teacher \"teachr\" unknown network; did you mean "
            "\"teacher\"? known: teacher, student");
  EXPECT_EQ(mistake(kSmall + "views = [\"strnog\"]\n[data.views.strong]\n"),
            "kd.toml:5:10 student.views[0] \"strnog\" unknown view; did you mean \"strong\"? "
            "known: default, strong");
}

TEST_F(NetworksMistakesTest, AreToldAllAtOnce) {
  std::string text = kMany;
  const auto replace = [&](const std::string& what, const std::string& with) {
    const size_t at = text.find(what);
    ASSERT_NE(at, std::string::npos) << what;
    text.replace(at, what.size(), with);
  };
  replace("like = \"default\"", "like = \"defautl\"");
  replace("times = 4", "times = 0");
  replace("mode = \"train\"", "mode = \"batch\"");
  replace("name = \"wide\"", "name = \"big\"");
  replace("views = [\"default\", \"strong\"]", "views = [\"default\", \"storng\"]");
  replace("student = \"b\"\nteacher = \"a\"", "student = \"bb\"\nteacher = \"a\"");
  replace("learn = [\"a:layer2\"", "learn = [\"a:\"");
  replace("name = \"joint\"", "name = \"alone\"");
  replace("epochs = 30", "epochs = 0");
  const std::string told = mistakes(text);
  for (const char* part :
       {"kd.toml:8:8    data.views.large.like", "kd.toml:12:9   data.views.\"turned.4\".times = 0",
        "kd.toml:18:8   teacher[0].mode \"batch\"", "kd.toml:23:8   teacher[1].name \"big\"",
        "student[0].views[1] \"storng\"", "transfer[2].student \"bb\"", "phase[0].learn[0] \"a:\"",
        "phase[0].train.epochs = 0", "phase[1].name \"alone\""}) {
    EXPECT_THAT(told, HasSubstr(part));
  }
}

}  // namespace
}  // namespace retort::host
