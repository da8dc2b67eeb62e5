#include "framework/run/phases.hpp"

#include <gmock/gmock.h>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

using testing::ElementsAre;

enum class Teacher { None, Trained, Given };

Experiment make_experiment(Teacher teacher, const std::vector<std::string>& transfers,
                           bool student_alone = true) {
  Experiment experiment;
  if (teacher != Teacher::None) experiment.teacher.emplace();
  if (teacher == Teacher::Given) experiment.teacher->weights = "teacher.safetensors";
  for (const std::string& name : transfers) experiment.transfers.emplace_back().name = name;
  experiment.student_alone = student_alone;
  return experiment;
}

/// "alone: student alone; student; baseline": name, row, participants and what it is.
std::vector<std::string> texts_of(const std::vector<PhaseSpec>& phases) {
  std::vector<std::string> texts;
  for (const PhaseSpec& phase : phases) {
    std::string text = phase.name + ": " + phase.row + ";";
    for (const std::string& participant : phase.participants) text += " " + participant;
    EXPECT_EQ(phase.learner, phase.participants.front());
    text += phase.transfers ? "; transfers" : "";
    text += phase.kept ? "; kept" : "";
    text += phase.is_baseline ? "; baseline" : "";
    texts.push_back(text + (phase.is_result ? "; result" : ""));
  }
  return texts;
}

const std::string kTeacher = "teacher: teacher; teacher; kept";
const std::string kGiven = "teacher: teacher; teacher";
const std::string kBaseline = "alone: student alone; student; baseline";
const std::string kAloneResult = "alone: student alone; student; result";
const std::string kDistil = "distil: student, logits.kd; student teacher; transfers; result";

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
  EXPECT_THAT(
      phases(Teacher::None, std::vector<std::string>{"logits.tf_kd", "mine"}),
      ElementsAre(kBaseline, "distil: student, logits.tf_kd + mine; student; transfers; result"));
}

TEST(Phases, ThatCanBeMeasuredAreAlsoThoseThatARunLeavesOut) {
  const auto phases = [](auto... arguments) {
    return texts_of(measurable_phases(make_experiment(arguments...)));
  };
  const std::vector<std::string> kd = {"logits.kd"}, none;
  EXPECT_THAT(phases(Teacher::None, none), ElementsAre(kAloneResult));
  EXPECT_THAT(phases(Teacher::Trained, kd), ElementsAre(kTeacher, kBaseline, kDistil));
  EXPECT_THAT(phases(Teacher::Given, kd, false), ElementsAre(kGiven, kBaseline, kDistil));
}

TEST(Phases, TrainByTheRecipeOfTheirLearner) {
  Experiment experiment = make_experiment(Teacher::Trained, {"logits.kd"});
  experiment.train.epochs = 3;
  experiment.teacher->train.epochs = 7;
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

}  // namespace
}  // namespace retort::host
