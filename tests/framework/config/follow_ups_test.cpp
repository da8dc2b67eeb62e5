// What follows from one mistake alone is not told beside it: each case is one mistake, with the whole
// message.
#include <algorithm>

#include "tests/framework/config/one_case.hpp"

namespace retort::host {
namespace {

const std::string kKd = "[[transfer]]\nstrategy = \"logits.kd\"\n";
const std::string kPhase = "[[phase]]\nname = \"one\"\n";
const std::string kTwoStudents =
    kData +
    "[[student]]\nname = \"a\"\nmodel = \"resnet\"\n[[student]]\nname = \"b\"\nmodel = "
    "\"resnet\"\n";

/// A student and a teacher, line 7 is the first that a case adds.
class FollowUpTest : public OneCaseTest {};
TEST_P(FollowUpTest, IsNotTold) { expect_after(kWithTeacher); }
INSTANTIATE_TEST_SUITE_P(
    OfTransfers, FollowUpTest,
    testing::Values(
        Case{"[transfer]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\nterms = "
             "[\"logits.kd\", \"task\"]",
             "kd.toml:7:1 transfer must be a list: write [[transfer]] above each strategy"},
        Case{"[[transfers]]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\nterms = "
             "[\"logits.kd\"]\nlearn = [\"student\", \"logits.kd\"]",
             "kd.toml:7:3 transfers unknown key; did you mean \"transfer\"? known: extends, name, "
             "seed, seeds, data, train, transfer, teacher, student, task, phase, run, baseline, "
             "sweep"},
        Case{"[[transfers]]\nstrategy = \"logits.kd\"\n[task]\nweight = 0",
             "kd.toml:7:3 transfers unknown key; did you mean \"transfer\"? known: extends, name, "
             "seed, seeds, data, train, transfer, teacher, student, task, phase, run, baseline, "
             "sweep"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nname = 3\n[[phase]]\nname = \"one\"\nterms = "
             "[\"task\", \"hint\"]",
             "kd.toml:9:8 transfer[0].name = 3 must be text in quotes, not an integer"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nnmae = \"hint\"\n[[phase]]\nname = "
             "\"one\"\nterms = [\"hint\"]\nlearn = [\"student\", \"hint\"]",
             "kd.toml:9:1 transfer[0].nmae unknown key; did you mean \"name\"? known: strategy, "
             "weight, student, teacher, view, name, bind"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nview = \"strong\"",
             "kd.toml:9:8 transfer[0].view \"strong\" unknown view known: default"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nteacher = \"student\"\nveiw = { student = "
             "\"default\" }",
             "kd.toml:10:1 transfer[0].veiw unknown key; did you mean \"view\"? known: strategy, "
             "weight, student, teacher, view, name, bind"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nview = {}",
             "kd.toml:9:8 transfer[0].view must name at least one view; write { student = ..., "
             "teacher = ... }, or leave it out for the first view of each"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nview = { student = 3 }",
             "kd.toml:9:20 transfer[0].view.student = 3 must be text in quotes, not an integer"}));

INSTANTIATE_TEST_SUITE_P(
    OfPhases, FollowUpTest,
    testing::Values(
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\nterms = []",
             "kd.toml:11:9 phase[0].terms must have at least one name"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\nterms = []\nlearn "
             "= [\"student\", \"logits.kd\"]\n[baseline]\nstudent_alone = true",
             "kd.toml:11:9 phase[0].terms must have at least one name"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\nterms = \"task\"",
             "kd.toml:11:9 phase[0].terms \"task\" must be a list of names, not text"},
        Case{
            "[[transfer]]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\nterms = [3]\nlearn "
            "= [\"student\", \"logits.kd\"]",
            "kd.toml:11:10 phase[0].terms[0] = 3 must be text in quotes, not an integer"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\nterms = "
             "[\"task\", \"zzzzz\"]\nlearn = [\"student\", \"logits.kd\"]",
             "kd.toml:11:18 phase[0].terms[1] \"zzzzz\" unknown term known: task, logits.kd"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\nlearn = []",
             "kd.toml:11:9 phase[0].learn must have at least one name"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\n[[phase]]\nnmae = \"one\"",
             "kd.toml:10:1 phase[0].nmae unknown key; did you mean \"name\"? known: name, terms, "
             "learn, train"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\n[[phase]]\nname = \"one\"\ntrems = "
             "[\"logits.kd\"]\nlearn = [\"student\"]\n[[phase]]\nname = \"two\"",
             "kd.toml:11:1 phase[0].trems unknown key; did you mean \"terms\"? known: name, terms, "
             "learn, train"}));

/// Two students, line 9 is the first that a case adds; the teacher is "a".
class PeersFollowUpTest : public OneCaseTest {};
TEST_P(PeersFollowUpTest, IsNotTold) { expect_after(kTwoStudents); }
INSTANTIATE_TEST_SUITE_P(
    OfSides, PeersFollowUpTest,
    testing::Values(
        Case{"[[transfer]]\nstrategy = \"logits.dk\"",
             "kd.toml:10:12 transfer[0].strategy \"logits.dk\" in no plugin; did you mean "
             "\"logits.dkd\"?"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nstudnet = \"b\"\nteacher = \"a\"",
             "kd.toml:11:1 transfer[0].studnet unknown key; did you mean \"student\"? known: "
             "strategy, weight, student, teacher, view, name, bind"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"zzzzz\"\nteacher = "
             "\"a\"\n[[phase]]\nname = \"one\"\nterms = [\"logits.kd\"]",
             "kd.toml:11:11 transfer[0].student \"zzzzz\" unknown student known: a, b"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"zzzzz\"\nteacher = "
             "\"a\"\n[task]\nweight = 0",
             "kd.toml:11:11 transfer[0].student \"zzzzz\" unknown student known: a, b"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"b\"\nteacher = "
             "\"a\"\n[[phase]]\nname = \"one\"\nlearn = [\"zzzzz\", \"a\"]",
             "kd.toml:15:10 phase[0].learn[0] \"zzzzz\" unknown student or transfer known: a, b, "
             "logits.kd"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"b\"\nteacher = "
             "\"a\"\n[[phase]]\nname = \"one\"\nterms = [\"logits.kd\"]\nlearn = [\"zzzzz\"]",
             "kd.toml:16:10 phase[0].learn[0] \"zzzzz\" unknown student or transfer known: a, b, "
             "logits.kd"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"b\"\nteacher = "
             "\"a\"\n[[phase]]\nname = \"one\"\nlearn = \"b\"",
             "kd.toml:15:9 phase[0].learn \"b\" must be a list of names, not text"},
        Case{"[[transfer]]\nstrategy = \"logits.kd\"\nstudent = \"b\"\nteacher = "
             "\"a\"\n[[phase]]\nname = \"one\"\nlern = [\"b\"]",
             "kd.toml:15:1 phase[0].lern unknown key; did you mean \"learn\"? known: name, terms, "
             "learn, train"}));

using FollowUpsTest = ConfigTest;

TEST_F(FollowUpsTest, OfANetworkThatIsMissingAreNotTold) {
  const std::string student = "kd.toml student missing; add [student] with a model";
  const std::string phase = kPhase + "learn = [\"student\"]\n";
  EXPECT_EQ(mistake(kData + "[teacher]\nmodel = \"resnet\"\n" + kKd + phase), student);
  EXPECT_EQ(mistake(kData + "[teacher]\nmodel = \"resnet\"\n" + kKd + "student = \"a\"\n"),
            student);
  EXPECT_EQ(mistake(kData + "[stuent]\nmodel = \"resnet\"\n" + phase),
            "kd.toml:3:2 stuent unknown key; did you mean \"student\"? known: extends, name, seed, "
            "seeds, data, train, transfer, teacher, student, task, phase, run, baseline, sweep");
  EXPECT_EQ(mistake(kSmall + "[techer]\nmodel = \"resnet\"\n" + kKd),
            "kd.toml:5:2 techer unknown key; did you mean \"teacher\"? known: extends, name, seed, "
            "seeds, data, train, transfer, teacher, student, task, phase, run, baseline, sweep");
  EXPECT_EQ(mistake("student = []\n" + kData + phase),
            "kd.toml:1:11 student must have at least one; write [student]");
}

/// Some of a list stand below the right key, one below a misspelt one.
TEST_F(FollowUpsTest, OfAMisspeltKeyOfOneOfSeveralAreNotTold) {
  const std::string known =
      "? known: extends, name, seed, seeds, data, train, transfer, teacher, student, task, phase, "
      "run, baseline, sweep";
  for (const std::string key : {"transfer", "teacher", "student", "phase"}) {
    std::string text = kMany;
    const size_t at = text.rfind("[[" + key + "]]");
    text.insert(at + 2 + key.size(), "s");
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n');
    EXPECT_EQ(mistake(text), "kd.toml:" + std::to_string(line) + ":3 " + key +
                                 "s unknown key; did you mean \"" + key + "\"" + known);
  }
}

TEST_F(FollowUpsTest, OfOneValueAmongManyAreNotTold) {
  const auto replaced = [&](const std::string& what, const std::string& with) {
    std::string text = kMany;
    return mistake(text.replace(text.find(what), what.size(), with));
  };
  EXPECT_EQ(replaced("name = \"wide\"", "name = \"b\""),
            "kd.toml:31:8 student[1].name \"b\" an earlier teacher has this name; give one of them "
            "another: name = \"b.2\"");
  EXPECT_EQ(replaced("views = [\"large\"]", "views = [\"hint\"]"),
            "kd.toml:17:10 teacher[0].views[0] \"hint\" unknown view known: default, large, "
            "strong, turned.4");
  EXPECT_EQ(replaced("view = { student = \"strong\", teacher = \"default\" }", "view = {}"),
            "kd.toml:55:8 transfer[3].view must name at least one view; write { student = ..., "
            "teacher = ... }, or leave it out for the first view of each");
  EXPECT_EQ(replaced("[data.views.\"turned.4\"]", "[data.views.\"\"]"),
            "kd.toml:10:13 data.views \"\" must be letters, digits, \".\", \"_\" and \"-\", at "
            "most 100 and none of \".-\" first: it names files");
}

TEST_F(FollowUpsTest, OfANetworksNameAreNotTold) {
  const std::string students =
      kData + "[[student]]\nmodel = \"resnet\"\n[[student]]\nname = \"b\"\nmodel = \"resnet\"\n";
  const std::string missing =
      "kd.toml:3:1 student[0].name missing; there are 2, and each needs one: name = \"student.2\"";
  EXPECT_EQ(mistake(students + kKd + "student = \"a\"\nteacher = \"b\"\n"), missing);
  EXPECT_EQ(mistake(students + kPhase + "learn = [\"a\", \"b\"]\n"), missing);
  EXPECT_EQ(mistake(kSmall + "name = 3\n" + kPhase + "learn = [\"x\"]\n"),
            "kd.toml:5:8 student.name = 3 must be text in quotes, not an integer");
  EXPECT_EQ(mistake(kSmall + "[teacher]\nmodel = \"resnet\"\nname = \"student\"\n" + kKd + kPhase +
                    "learn = [\"student\"]\n"),
            "kd.toml:7:8 teacher.name \"student\" is what the host calls a network, phase or value "
            "of its own; give it another name: name = \"my.student\"");
  EXPECT_EQ(mistake(kSmall +
                    "[[teacher]]\nname = \"x\"\nmodel = \"resnet\"\n[[teacher]]\nname = "
                    "\"x\"\nmodel = \"resnet\"\n" +
                    kKd + "teacher = [\"x\", \"y\"]\n"),
            "kd.toml:9:8 teacher[1].name \"x\" an earlier teacher has this name; give one of them "
            "another: name = \"x.2\"");
}

TEST_F(FollowUpsTest, OfOneOfSeveralTeachersAreNotTold) {
  const std::string teachers = kSmall +
                               "[[teacher]]\nname = \"big\"\nmodel = \"resnet\"\n"
                               "[[teacher]]\nname = \"wide\"\nmodel = \"resnet\"\n";
  EXPECT_EQ(mistake(teachers + kKd + "teacher = [\"big\", \"zzzzz\"]\n"),
            "kd.toml:13:19 transfer[0].teacher[1] \"zzzzz\" unknown network known: big, wide, "
            "student");
  EXPECT_EQ(
      mistake(teachers + "[[transfer]]\nstrategy = \"feature.fitnet\"\nteacher = \"zzzzz\"\n"),
      "kd.toml:13:11 transfer[0].teacher \"zzzzz\" unknown network known: big, wide, student");
  EXPECT_EQ(mistake(teachers + kKd + "techer = \"big\"\n"),
            "kd.toml:13:1 transfer[0].techer unknown key; did you mean \"teacher\"? known: "
            "strategy, weight, student, teacher, view, name, bind");
}

const std::string kStrong = kData + "[data.views.strong]\naugment = [\"flip\"]\n";

/// Neither that no network sees the view, nor that a network does not.
TEST_F(FollowUpsTest, OfTheViewsOfANetworkAreNotTold) {
  const std::string student = kStrong + "[student]\nmodel = \"resnet\"\n";
  EXPECT_EQ(mistake(student + "views = \"strong\"\n"),
            "kd.toml:7:9 student.views \"strong\" must be a list of names, not text");
  EXPECT_EQ(mistake(student + "views = [\"zzzzz\"]\n"),
            "kd.toml:7:10 student.views[0] \"zzzzz\" unknown view known: default, strong");
  EXPECT_EQ(mistake(student + "views = [3]\n"),
            "kd.toml:7:10 student.views[0] = 3 must be text in quotes, not an integer");
  EXPECT_EQ(mistake(student + "veiws = [\"strong\"]\n"),
            "kd.toml:7:1 student.veiws unknown key; did you mean \"views\"? known: model, name, "
            "weights, rename, normalize, views");
  EXPECT_EQ(mistake(student +
                    "views = [\"default\", \"zzzzz\"]\n[teacher]\nmodel = \"resnet\"\n"
                    "views = [\"default\", \"strong\"]\n" +
                    kKd + "view = \"strong\"\n"),
            "kd.toml:7:21 student.views[1] \"zzzzz\" unknown view known: default, strong");
  EXPECT_EQ(mistake(student + "views = [\"default\", \"strong\"]\n" + kKd + "view = \"strng\"\n" +
                    "[teacher]\nmodel = \"resnet\"\nviews = [\"default\", \"strong\"]\n"),
            "kd.toml:10:8 transfer[0].view \"strng\" unknown view; did you mean \"strong\"? known: "
            "default, strong");
}

TEST_F(FollowUpsTest, OfAViewsOwnKeysAreNotTold) {
  const std::string student = "[student]\nmodel = \"resnet\"\nviews = [\"large\"]\n";
  const std::string views = student + kStrong + "[data.views.large]\n";
  EXPECT_EQ(mistake(views + "like = \"zzzzz\"\n"),
            "kd.toml:9:8 data.views.large.like \"zzzzz\" unknown view known: default, strong");
  EXPECT_EQ(mistake(views + "like = 3\n"),
            "kd.toml:9:8 data.views.large.like = 3 must be text in quotes, not an integer");
  EXPECT_EQ(mistake(views + "lkie = \"strong\"\n"),
            "kd.toml:9:1 data.views.large.lkie unknown key; did you mean \"like\"? known: augment, "
            "like, size, times");
  EXPECT_EQ(mistake(student + kData + "[data.view.large]\n"),
            "kd.toml:6:7 data.view unknown key; did you mean \"views\"? known: dataset, "
            "batch_size, train_samples, validation, mixup, cutmix, augment, normalize, views");
  EXPECT_EQ(mistake(student + kData +
                    "[data.views.large]\ntimes = 65\n[data.views.four]\ntimes = 4\n[teacher]\n"
                    "model = \"resnet\"\nviews = [\"four\"]\n" +
                    kKd),
            "kd.toml:7:9 data.views.large.times = 65 must be >= 1 and <= 64 (default 1)");
}

}  // namespace
}  // namespace retort::host
