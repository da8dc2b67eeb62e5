// Views, several networks, who learns from whom, and phases: what is read where all is well.
#include <gmock/gmock.h>

#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using NetworksTest = ConfigTest;

const std::string kTransfer = "[[transfer]]\nstrategy = \"logits.kd\"\n";
const std::string kTwoStudents =
    "[data]\ndataset = \"fashion_mnist\"\n[[student]]\nname = \"a\"\nmodel = \"resnet\"\n"
    "[[student]]\nname = \"b\"\nmodel = \"convnet\"\n";

TEST_F(NetworksTest, OneOfEachHasTheUsualNamesAndTheDefaultView) {
  const Experiment experiment = load(kWithTeacher + kTransfer);
  ASSERT_EQ(experiment.teachers.size(), 1u);
  EXPECT_EQ(experiment.teachers[0].name, "teacher");
  EXPECT_EQ(experiment.teachers[0].key, "teacher");
  EXPECT_EQ(experiment.teachers[0].mode, TeacherMode::Evaluate);
  EXPECT_EQ(experiment.students.at(0).name, "student");
  EXPECT_THAT(experiment.students[0].views, ElementsAre("default"));
  const TransferConfig& transfer = experiment.transfers.at(0);
  EXPECT_EQ(transfer.key, "transfer[0]");
  EXPECT_EQ(transfer.student, "student");
  EXPECT_THAT(transfer.teachers, ElementsAre("teacher"));
  EXPECT_EQ(transfer.view_student, "default");
  EXPECT_EQ(transfer.view_teacher, "default");
  EXPECT_THAT(experiment.phases, IsEmpty());
  EXPECT_TRUE(experiment.student_alone);
}

TEST_F(NetworksTest, AListOfOneIsAsTheTable) {
  const Experiment experiment =
      load("[data]\ndataset = \"fashion_mnist\"\n[[student]]\nmodel = \"resnet\"\n");
  ASSERT_EQ(experiment.students.size(), 1u);
  EXPECT_EQ(experiment.students[0].name, "student");
  EXPECT_EQ(experiment.students[0].key, "student[0]");
}

TEST_F(NetworksTest, ReadsSeveral) {
  const Experiment experiment = load(kMany);
  ASSERT_EQ(experiment.teachers.size(), 2u);
  const NetworkConfig& big = experiment.teachers[0];
  EXPECT_EQ(big.name, "big");
  EXPECT_EQ(big.key, "teacher[0]");
  EXPECT_EQ(big.mode, TeacherMode::Train);
  EXPECT_THAT(big.views, ElementsAre("large"));
  EXPECT_EQ(std::get<int64_t>(big.model.options[0]), 56);
  EXPECT_EQ(big.train.epochs, 7);
  EXPECT_EQ(big.train.optimizer.kind, OptimizerConfig::Kind::Adam);
  EXPECT_EQ(experiment.teachers[1].train.epochs, 3);  // [train]'s
  EXPECT_EQ(experiment.students.at(1).name, "b");
  EXPECT_EQ(experiment.students[1].key, "student[1]");
  EXPECT_EQ(experiment.students[1].place.line, 30u);
  EXPECT_EQ(experiment.students[1].train.epochs, 3);
  EXPECT_THAT(experiment.students[1].views, ElementsAre("strong", "turned.4", "default"));
}

TEST_F(NetworksTest, AreFoundByName) {
  const Experiment experiment = load(kMany);
  EXPECT_EQ(experiment.find_network("wide"), &experiment.teachers[1]);
  EXPECT_EQ(experiment.find_network("a"), &experiment.students[0]);
  EXPECT_EQ(experiment.find_network("teacher"), nullptr);
}

TEST_F(NetworksTest, ReadsViews) {
  const DataConfig data = load(kMany).data;
  ASSERT_EQ(data.views.size(), 3u);
  EXPECT_EQ(data.find_view("default"), nullptr);
  const ViewConfig& strong = *data.find_view("strong");
  EXPECT_EQ(strong.like, "");
  EXPECT_EQ(strong.augment.size(), 2u);
  EXPECT_EQ(strong.size, 0);
  EXPECT_EQ(strong.times, 1);
  const ViewConfig& large = *data.find_view("large");
  EXPECT_EQ(large.like, "default");
  ASSERT_EQ(large.augment.size(), 1u);
  EXPECT_EQ(large.augment[0].kind, Augment::Kind::Crop);
  EXPECT_EQ(large.size, 224);
  EXPECT_EQ(data.find_view("turned.4")->times, 4);
}

TEST_F(NetworksTest, AViewIsLikeTheOneThatAnotherIsLike) {
  const DataConfig data =
      load(kSmall +
           "views = [\"x\", \"y\", \"z\"]\n[data.views.x]\nlike = \"y\"\n[data.views.y]\n"
           "like = \"z\"\n[data.views.z]\naugment = [\"flip\"]\n"
           "[[transfer]]\nstrategy = \"logits.tf_kd\"\nname = \"of_y\"\nview = \"y\"\n"
           "[[transfer]]\nstrategy = \"logits.tf_kd\"\nname = \"of_z\"\nview = \"z\"\n")
          .data;
  for (const char* name : {"x", "y", "z"}) {
    ASSERT_EQ(data.find_view(name)->augment.size(), 1u) << name;
    EXPECT_EQ(data.find_view(name)->augment[0].kind, Augment::Kind::Flip) << name;
  }
}

TEST_F(NetworksTest, ReadsWhoLearnsFromWhomOnWhichViews) {
  const std::vector<TransferConfig> transfers = load(kMany).transfers;
  ASSERT_EQ(transfers.size(), 5u);
  EXPECT_EQ(transfers[0].student, "a");
  EXPECT_THAT(transfers[0].teachers, ElementsAre("wide"));
  EXPECT_EQ(transfers[0].view_student, "default");  // the first of each
  EXPECT_EQ(transfers[0].view_teacher, "large");
  EXPECT_THAT(transfers[1].teachers, ElementsAre("wide", "big"));
  EXPECT_THAT(transfers[2].teachers, ElementsAre("a"));
  EXPECT_EQ(transfers[2].view_student, "default");
  EXPECT_EQ(transfers[2].view_teacher, "default");
  EXPECT_EQ(transfers[3].student, "a");
  EXPECT_THAT(transfers[3].teachers, ElementsAre("a"));
  EXPECT_EQ(transfers[3].view_student, "strong");
  EXPECT_EQ(transfers[3].view_teacher, "default");
  EXPECT_EQ(transfers[4].key, "transfer[4]");
  EXPECT_THAT(transfers[4].teachers, IsEmpty());
  EXPECT_EQ(transfers[4].view_student, "turned.4");
  EXPECT_EQ(transfers[4].view_teacher, "");
}

TEST_F(NetworksTest, AViewOfOneSideAloneLeavesTheOtherItsFirst) {
  const std::string text =
      "[data]\ndataset = \"fashion_mnist\"\n[data.views.x]\n[data.views.y]\n[student]\n"
      "model = \"resnet\"\nviews = [\"default\", \"x\"]\n[teacher]\nmodel = \"resnet\"\n"
      "views = [\"y\", \"x\"]\n" +
      kTransfer + "name = \"second\"\nview = \"x\"\n" + kTransfer;
  const TransferConfig student = load(text + "view = { student = \"x\" }\n").transfers.at(1);
  EXPECT_EQ(student.view_student, "x");
  EXPECT_EQ(student.view_teacher, "y");
  const TransferConfig teacher = load(text + "view = { teacher = \"x\" }\n").transfers.at(1);
  EXPECT_EQ(teacher.view_student, "default");
  EXPECT_EQ(teacher.view_teacher, "x");
  const TransferConfig both = load(text + "view = \"x\"\n").transfers.at(1);
  EXPECT_EQ(both.view_student, "x");
  EXPECT_EQ(both.view_teacher, "x");
}

TEST_F(NetworksTest, ReadsPhases) {
  const Experiment experiment = load(kMany);
  ASSERT_EQ(experiment.phases.size(), 3u);
  const PhaseConfig& hint = experiment.phases[0];
  EXPECT_EQ(hint.name, "hint");
  EXPECT_EQ(hint.key, "phase[0]");
  EXPECT_EQ(hint.place.line, 60u);
  EXPECT_FALSE(hint.task);
  EXPECT_THAT(hint.transfers, ElementsAre("hint"));
  ASSERT_EQ(hint.learn.size(), 1u);
  EXPECT_EQ(hint.learn[0].student, "a");
  EXPECT_EQ(hint.learn[0].up_to, "layer2");
  EXPECT_EQ(hint.learn[0].place.line, 63u);
  EXPECT_THAT(hint.modules, ElementsAre("hint"));
  EXPECT_EQ(hint.train.epochs, 30);
  EXPECT_EQ(hint.train.optimizer.kind, OptimizerConfig::Kind::Adam);
  const PhaseConfig& distil = experiment.phases[2];
  EXPECT_TRUE(distil.task);
  EXPECT_THAT(distil.transfers, ElementsAre("peer"));
  EXPECT_EQ(distil.train.epochs, 3);
  EXPECT_EQ(distil.train.schedule.kind, ScheduleConfig::Kind::Cosine);
}

std::vector<std::string> learners(const PhaseConfig& phase) {
  std::vector<std::string> names;
  for (const LearnerConfig& learner : phase.learn) names.push_back(learner.student);
  return names;
}

TEST_F(NetworksTest, APhaseTrainsAllThatItsTermsReach) {
  const PhaseConfig joint = load(kMany).phases.at(1);
  EXPECT_TRUE(joint.task);
  EXPECT_THAT(joint.transfers, ElementsAre("hint", "mean", "peer", "itself", "logits.tf_kd"));
  EXPECT_EQ(joint.modules, joint.transfers);
  EXPECT_THAT(learners(joint), ElementsAre("a", "b"));
  EXPECT_EQ(joint.learn[1].up_to, "");

  const std::string text = kTwoStudents + kTransfer + "student = \"b\"\nteacher = \"a\"\n";
  const auto phase = [&](const std::string& lines) {
    const std::string rest = "[[phase]]\nname = \"rest\"\n";
    return load(text + rest + "[[phase]]\nname = \"one\"\n" + lines).phases.at(1);
  };
  EXPECT_THAT(learners(phase("terms = [\"logits.kd\"]\n")), ElementsAre("b"));
  EXPECT_THAT(learners(phase("terms = [\"logits.kd\", \"task\"]\n")), ElementsAre("a", "b"));
  EXPECT_THAT(phase("learn = [\"b\"]\n").modules, IsEmpty());
}

TEST_F(NetworksTest, TermsAreInTheOrderOfTheTransfers) {
  const Experiment experiment =
      load(kWithTeacher + kTransfer + "name = \"x\"\n" + kTransfer +
           "name = \"y\"\n[[phase]]\nname = \"one\"\nterms = [\"y\", \"task\", \"x\"]\n");
  EXPECT_THAT(experiment.phases.at(0).transfers, ElementsAre("x", "y"));
}

TEST_F(NetworksTest, StudentsAreTrainedAloneUnlessThereAreSeveralPhases) {
  const std::string one = kWithTeacher + kTransfer + "[[phase]]\nname = \"one\"\n";
  const std::string two = one + "[[phase]]\nname = \"two\"\n";
  EXPECT_TRUE(load(one).student_alone);
  EXPECT_FALSE(load(one + "terms = [\"logits.kd\"]\n").student_alone);  // without the task
  EXPECT_FALSE(load(two).student_alone);
  EXPECT_TRUE(load(two, {"baseline.student_alone=true"}).student_alone);
  EXPECT_FALSE(load(one, {"baseline.student_alone=false"}).student_alone);
}

TEST_F(NetworksTest, ATeacherThatNobodyLearnsFromMayStandAlone) {
  EXPECT_EQ(load(kWithTeacher).teachers.size(), 1u);
  EXPECT_EQ(
      load(kWithTeacher + "[[transfer]]\nstrategy = \"logits.tf_kd\"\n").transfers.at(0).teachers,
      std::vector<std::string>());
}

TEST_F(NetworksTest, AStudentThatLearnsEarlierMayTeachLater) {
  const Experiment experiment =
      load(kTwoStudents + "[teacher]\nmodel = \"resnet\"\n" + kTransfer +
           "name = \"x\"\nstudent = \"a\"\n" + kTransfer +
           "name = \"y\"\nstudent = \"b\"\nteacher = \"a\"\n[[phase]]\nname = \"assistant\"\n"
           "terms = [\"task\", \"x\"]\nlearn = [\"a\"]\n[[phase]]\nname = \"small\"\n"
           "terms = [\"task\", \"y\"]\nlearn = [\"b\"]\n");
  EXPECT_THAT(experiment.transfers[0].teachers, ElementsAre("teacher"));
  EXPECT_THAT(learners(experiment.phases[1]), ElementsAre("b"));
}

TEST_F(NetworksTest, ABatchRuleCountsTheCopiesOfTheView) {
  const std::string text =
      "[data]\ndataset = \"fashion_mnist\"\n[data.views.x]\ntimes = 2\n[student]\n"
      "model = \"resnet\"\nviews = [\"default\", \"x\"]\n[teacher]\nmodel = \"resnet\"\n"
      "views = [\"x\", \"default\"]\n[[transfer]]\nstrategy = \"relational.rkd\"\n"
      "bind = \"pooled\"\nview = \"x\"\n[[transfer]]\nstrategy = \"logits.kd\"\n"
      "view = \"default\"\n";
  EXPECT_EQ(mistake(text, {"data.batch_size=2"}), "");
  EXPECT_EQ(mistake(text, {"data.batch_size=2", "transfer[0].view=default"}),
            "command line: data.batch_size=2 data.batch_size = 2 must be a multiple of 4 for "
            "relational.rkd\n ^");
  EXPECT_EQ(mistake(text, {"data.batch_size=33"}),
            "command line: data.batch_size=33 data.batch_size = 33 times 2, the copies of \"x\", "
            "must be a multiple of 4 for relational.rkd\n ^");
}

}  // namespace
}  // namespace retort::host
