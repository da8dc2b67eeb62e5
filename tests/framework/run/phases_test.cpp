#include "framework/run/phases.hpp"

#include <gmock/gmock.h>

#include <array>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;

enum class Teacher { None, Trained, Given };

NetworkConfig& add_network(std::vector<NetworkConfig>& networks, const std::string& name) {
  NetworkConfig& network = networks.emplace_back();
  network.name = name;
  return network;
}

void add_transfer(Experiment& experiment, const std::string& name, const std::string& student,
                  const std::vector<std::string>& teachers) {
  TransferConfig& transfer = experiment.transfers.emplace_back();
  transfer.name = name;
  transfer.student = student;
  if (experiment.find_network(teachers.front()) != nullptr) transfer.teachers = teachers;
}

Experiment make_experiment(Teacher teacher, const std::vector<std::string>& transfers,
                           bool student_alone = true) {
  Experiment experiment;
  if (teacher != Teacher::None) add_network(experiment.teachers, "teacher");
  if (teacher == Teacher::Given) experiment.teachers[0].weights = "teacher.safetensors";
  add_network(experiment.students, "student");
  for (const std::string& name : transfers) add_transfer(experiment, name, "student", {"teacher"});
  experiment.student_alone = student_alone;
  return experiment;
}

/// "alone: student alone; student; baseline": name, rows, participants, what it is, and what it has
/// beside the task.
std::vector<std::string> texts_of(const std::vector<PhaseSpec>& phases) {
  constexpr std::array<const char*, 3> kKinds = {"teacher", "baseline", "main"};
  std::vector<std::string> texts;
  for (const PhaseSpec& phase : phases) {
    std::string text = phase.name + ":";
    for (const LearnerSpec& learner : phase.learners)
      text += (&learner == phase.learners.data() ? " " : " | ") + learner.row +
              (learner.up_to.empty() ? "" : " up to " + learner.up_to);
    text += ";";
    for (const std::string& participant : phase.participants) text += " " + participant;
    for (size_t i = 0; i < phase.learners.size(); ++i)
      EXPECT_EQ(phase.learners[i].name, phase.participants[i]);
    text += std::string("; ") + kKinds[static_cast<size_t>(phase.kind)];
    text += phase.task ? "" : "; no task";
    for (const size_t transfer : phase.transfers) text += "; transfer " + std::to_string(transfer);
    texts.push_back(text);
  }
  return texts;
}

const std::string kTeacher = "teacher: teacher; teacher; teacher";
const std::string kBaseline = "alone: student alone; student; baseline";
const std::string kAloneResult = "alone: student alone; student; main";
const std::string kDistil = "distil: student, logits.kd; student teacher; main; transfer 0";

TEST(Phases, OfARunAreTheTrainingsThatItNeeds) {
  const auto phases = [](auto... arguments) {
    return texts_of(phases_of(make_experiment(arguments...)));
  };
  const std::vector<std::string> kd = {"logits.kd"}, none;
  EXPECT_THAT(phases(Teacher::None, none), ElementsAre(kAloneResult));
  EXPECT_THAT(phases(Teacher::None, none, false), ElementsAre(kAloneResult));
  EXPECT_THAT(phases(Teacher::Trained, none), ElementsAre(kTeacher, kAloneResult));
  EXPECT_THAT(phases(Teacher::Given, none), ElementsAre(kAloneResult));
  EXPECT_THAT(phases(Teacher::Trained, kd), ElementsAre(kTeacher, kBaseline, kDistil));
  EXPECT_THAT(phases(Teacher::Trained, kd, false), ElementsAre(kTeacher, kDistil));
  EXPECT_THAT(phases(Teacher::Given, kd), ElementsAre(kBaseline, kDistil));
  EXPECT_THAT(phases(Teacher::Given, kd, false), ElementsAre(kDistil));
  EXPECT_THAT(phases(Teacher::None, std::vector<std::string>{"logits.tf_kd", "mine"}),
              ElementsAre(kBaseline,
                          "distil: student, logits.tf_kd + mine; student; main; transfer 0; "
                          "transfer 1"));
}

TEST(Phases, ThatCanBeMeasuredAreAlsoThoseThatARunLeavesOut) {
  const auto phases = [](auto... arguments) {
    return texts_of(measurable_phases(make_experiment(arguments...)));
  };
  const std::vector<std::string> kd = {"logits.kd"}, none;
  EXPECT_THAT(phases(Teacher::None, none), ElementsAre(kAloneResult));
  EXPECT_THAT(phases(Teacher::Trained, kd), ElementsAre(kTeacher, kBaseline, kDistil));
  EXPECT_THAT(phases(Teacher::Given, kd, false), ElementsAre(kTeacher, kBaseline, kDistil));
}

TEST(Phases, TrainByTheRecipeOfTheirLearner) {
  Experiment experiment = make_experiment(Teacher::Trained, {"logits.kd"});
  experiment.train.epochs = 3;
  experiment.teachers[0].train.epochs = 7;
  std::vector<int64_t> epochs;
  for (const PhaseSpec& phase : phases_of(experiment)) epochs.push_back(phase.train->epochs);
  EXPECT_THAT(epochs, ElementsAre(7, 3, 3));
}

TEST(Phases, AreFoundByName) {
  const Experiment experiment = make_experiment(Teacher::Trained, {"logits.kd"});
  const std::vector<PhaseSpec> phases = phases_of(experiment);
  EXPECT_EQ(find_phase(phases, "teacher", "state.json"), 0u);
  EXPECT_EQ(find_phase(phases, "distil", "state.json"), 2u);
  EXPECT_THAT([&] { find_phase(phases, "warmup", "state.json"); },
              testing::ThrowsMessage<DataError>(
                  "state.json: was saved in the phase \"warmup\", and this experiment has teacher, "
                  "alone, distil; restore the file, or train anew without --resume"));
}

/// Two teachers, two students that are each other's teachers too, and two phases.
Experiment make_large_experiment() {
  Experiment experiment;
  add_network(experiment.teachers, "big");
  add_network(experiment.teachers, "wide");
  add_network(experiment.students, "a");
  add_network(experiment.students, "b");
  add_transfer(experiment, "hint", "a", {"wide"});
  add_transfer(experiment, "kd", "a", {"big", "wide"});
  add_transfer(experiment, "peer", "b", {"a"});
  PhaseConfig& first = experiment.phases.emplace_back();
  first.name = "first";
  first.task = false;
  first.transfers = {"hint"};
  first.learn = {{"a", "layer2", {}}};
  first.modules = {"hint"};
  first.train.epochs = 2;
  PhaseConfig& second = experiment.phases.emplace_back();
  second.name = "second";
  second.transfers = {"peer", "kd"};
  second.learn = {{"a", "", {}}, {"b", "", {}}};
  second.train.epochs = 5;
  return experiment;
}

TEST(Phases, OfTheFileAreListedWithThoseWhomTheirTermsAreAbout) {
  Experiment experiment = make_large_experiment();
  EXPECT_THAT(texts_of(phases_of(experiment)),
              ElementsAre("big: big; big; teacher", "wide: wide; wide; teacher",
                          "alone.a: a alone; a; baseline", "alone.b: b alone; b; baseline",
                          "first: a, hint up to layer2; a wide; main; no task; transfer 0",
                          "second: a, kd | b, peer; a b big wide; main; transfer 1; transfer 2"));
  experiment.student_alone = false;
  experiment.teachers[0].weights = "big.safetensors";
  const std::vector<PhaseSpec> phases = phases_of(experiment);
  EXPECT_EQ(list_names(phases), "wide, first, second");
  EXPECT_EQ(phases[2].learners[0].teacher_row, "wide");
  EXPECT_EQ(phases[2].learners[0].alone_row, "a alone");
  EXPECT_EQ(phases[2].learners[1].teacher_row, "big");  // a peer is no teacher's row
}

TEST(Phases, OfAStudentAloneHaveTheRecipeOfTheLastPhaseWithItsTask) {
  const Experiment experiment = make_large_experiment();
  const std::vector<PhaseSpec> phases = phases_of(experiment);
  EXPECT_EQ(phases[2].train->epochs, 5);
  EXPECT_EQ(phases[3].train->epochs, 5);
}

TEST(Phases, GoOnFromTheOneThatHadTheNetworkOrTransferLast) {
  Experiment experiment = make_large_experiment();
  PhaseConfig third = experiment.phases[0];
  third.name = "third";
  experiment.phases.push_back(third);
  const std::vector<PhaseSpec> phases = phases_of(experiment);
  ASSERT_EQ(phases.size(), 7u);
  EXPECT_EQ(find_source(phases, 3, "b"), std::nullopt);  // alone: from its start values
  EXPECT_EQ(find_source(phases, 4, "a"), std::nullopt);  // not from the one alone
  EXPECT_EQ(find_source(phases, 5, "a"), 4u);
  EXPECT_EQ(find_source(phases, 5, "b"), std::nullopt);
  EXPECT_EQ(find_source(phases, 6, "a"), 5u);
  EXPECT_EQ(find_source(phases, 6, "b"), 5u);
  EXPECT_EQ(find_transfer_source(phases, 6, 0), 4u);
  EXPECT_EQ(find_transfer_source(phases, 6, 1), 5u);
  EXPECT_EQ(find_transfer_source(phases, 4, 0), std::nullopt);
  EXPECT_EQ(find_result(phases, "a"), 6u);
  EXPECT_EQ(find_result(phases, "b"), 5u);
  EXPECT_EQ(phases[6].learners[0].row, "a, hint (third)");  // the first phase has such a row
}

}  // namespace
}  // namespace retort::host
