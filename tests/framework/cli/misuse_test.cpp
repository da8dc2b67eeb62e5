// What a user sees of a plugin that misuses the host's functions: which one, where, and what to do.
#include <gmock/gmock.h>

#include "tests/framework/cli/program.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Runs a command on the tiny experiment, its first transfer a strategy that misuses the host.
Finished misuse(const Scratch& scratch, const std::string& command, const std::string& how,
                std::vector<std::string> overrides = {}) {
  overrides.insert(overrides.begin(),
                   {command, tiny_experiment(scratch).string(), "--plugins", RETORT_MISUSES_DIR,
                    "transfer[0].strategy=test.misuses", "transfer[0].how=" + how, "train.epochs=1",
                    "baseline.student_alone=false"});
  return retort(overrides);
}

struct Misuse {
  std::string how;
  int code;
  std::string where;
  std::string what;
};

TEST(AMisuseOfTheHost, IsToldWithPluginFunctionStepAndRemedy) {
  const std::vector<Misuse> misuses = {
      {"slash", 1, "setup()",
       "parameter \"a/b\" has a name with \"/\"; separate its parts by dots"},
      {"dots", 1, "setup()", "parameter \"..\" has a name of dots and spaces alone; give it one"},
      {"negative_scale", 1, "setup()", "parameter \"w\": its lr_scale is -1"},
      {"bad_setup", 1, "setup()", "threw something that is no std::exception"},
      {"throws", 1, "loss(), step 0", "threw something that is no std::exception"},
      {"no_code", 1, "setup()", "threw in setup(): my message"},
      {"no_message", 1, "loss(), step 0", "std::runtime_error without a message"},
      {"null_message", 1, "loss(), step 0", "::Silent without a message"},
      {"draws_twice", 1, "loss(), step 0", "draw \"mask\": it is drawn twice in one step"},
      {"logs_nothing", 1, "loss(), step 0", "a metric without a name"},
      {"logs_too_much", 1, "loss(), step 0",
       "log(\"gap\") is given 1e+308; a metric is a float32, so it must be at most 3.4e+38"},
      {"thread", 1, "loss(), step 0", "from a thread of its own"},
      {"spoils_logits", 1, "after_backward(), step 0", "is a tensor of the host, or a view of one"},
      {"spoils_view", 1, "after_backward(), step 0", "is a tensor of the host, or a view of one"},
      {"spoils_labels", 1, "after_backward(), step 0", "is a tensor of the host, or a view of one"},
  };
  for (const Misuse& wrong : misuses) {
    const Scratch scratch;
    const Finished run = misuse(scratch, "check", wrong.how);
    EXPECT_EQ(run.code, wrong.code) << wrong.how;
    EXPECT_THAT(run.err, AllOf(HasSubstr("test.misuses 0.1.0 ("), HasSubstr(wrong.where),
                               HasSubstr(wrong.what)))
        << wrong.how;
  }
}

TEST(ALackOfMemory, IsOneOfTheMachineWhereverItArises) {
  const Scratch scratch;
  for (const char* how : {"much_memory", "own_words", "own_memory"}) {
    const Finished run = misuse(scratch, "check", how);
    EXPECT_EQ(run.code, 5) << how;
    EXPECT_THAT(run.err, AllOf(HasSubstr("test.misuses 0.1.0 ("), HasSubstr("loss(), step 0"),
                               HasSubstr("out of memory")))
        << how;
  }
}

TEST(AValueThatAPluginGivesUp, IsNotOverwrittenWhereItIsNotItsOwn) {
  const Scratch honest, given_up;
  ASSERT_EQ(misuse(honest, "run", "nothing").code, 0);
  ASSERT_EQ(misuse(given_up, "run", "given_up").code, 0);
  EXPECT_EQ(content_of(honest.path("runs/tiny/001/metrics.jsonl")),
            content_of(given_up.path("runs/tiny/001/metrics.jsonl")));
}

TEST(OperatorsThatAreNotDeclared, AreToldByCheckAndOnceByRun) {
  const std::string told = "add uses(\"aten::sinc\"), uses(\"aten::logit\") to its declaration";
  const Scratch scratch;
  EXPECT_THAT(misuse(scratch, "check", "undeclared").err, HasSubstr(told));
  EXPECT_THAT(misuse(scratch, "check", "nothing").err, Not(HasSubstr("declare")));
  const std::string run = misuse(scratch, "run", "undeclared").err;
  EXPECT_THAT(run, HasSubstr(told));
  EXPECT_EQ(run.find(told), run.rfind(told));
}

TEST(AWarningOfNothing, NamesThePlugin) {
  const Scratch scratch;
  EXPECT_THAT(
      misuse(scratch, "check", "warns_of_nothing").err,
      testing::ContainsRegex("test.misuses 0.1.0 \\(.*\\) gives an empty warning in setup\\(\\)"));
}

TEST(WarningsThatAreTooMany, AreCutAndCountedOnce) {
  const Scratch scratch;
  const std::string run = misuse(scratch, "run", "warns_much").err;
  EXPECT_THAT(run, AllOf(HasSubstr("warning 19\n"), Not(HasSubstr("warning 20"))));
  const std::string told = "gives 5 more warnings in setup(); only the first 20 are shown";
  EXPECT_THAT(run, HasSubstr(told));
  EXPECT_EQ(run.find(told), run.rfind(told));
}

TEST(AModelThatMisusesTheHost, IsToldWithFunctionAndName) {
  const std::vector<Misuse> misuses = {
      {"twice", 1, "forward()", "tap \"layer1\" is published twice in one forward pass"},
      {"reserved", 1, "forward()",
       "tap \"logits\" has a name that the host gives a meaning itself"},
      {"empty", 1, "forward()", "a tap without a name; give it one"},
      {"transposed", 2, "forward()", "its first dimension must be the batch"},
      {"whole", 1, "forward()",
       "tap \"layer2\" is published as int64; taps are floating point: convert it by to(x, "},
      {"truth", 1, "forward()", "tap \"layer2\" is published as bool; taps are floating point"},
      {"complex", 1, "forward()",
       "is published as ComplexFloat; taps are floating point: take its real part"},
      {"narrow", 2, "forward()", "logits of shape [1, 3]; they must be [1, 10], the batch and the"},
      {"dropout", 1, "forward()", "set p to 0, or leave them out"},
  };
  for (const Misuse& wrong : misuses) {
    const Scratch scratch;
    const Finished run =
        retort({"check", tiny_experiment(scratch).string(), "--plugins", RETORT_MISUSES_DIR,
                "teacher.model=misuses", "teacher.how=" + wrong.how});
    EXPECT_EQ(run.code, wrong.code) << wrong.how;
    EXPECT_THAT(run.err,
                AllOf(HasSubstr("misuses 0.1.0 ("), HasSubstr(wrong.where), HasSubstr(wrong.what)))
        << wrong.how;
  }
}

}  // namespace
}  // namespace retort::test
