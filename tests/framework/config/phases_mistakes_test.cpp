// What is wrong with who learns from whom, and with phases, each with its whole message.
#include "tests/framework/config/one_case.hpp"

namespace retort::host {
namespace {

/// As kTwoOfEach, line by line, but that each network sees the default view alone.
const std::string kTwoOfEachOnOneView = R"toml([data]
dataset = "fashion_mnist"
batch_size = 64
mixup = 0
cutmix = 0
[[teacher]]
name = "big"
model = "resnet"
depth = 56
[[teacher]]
name = "wide"
model = "resnet"
width = 2
[[student]]
name = "a"
model = "resnet"
depth = 20
[[student]]
name = "b"
model = "resnet"
weights = "w.safetensors"
[[transfer]]
)toml";

class SideCaseTest : public OneCaseTest {};
TEST_P(SideCaseTest, IsExact) {
  write("w.safetensors", "x");
  expect_after(kTwoOfEach);
}
INSTANTIATE_TEST_SUITE_P(
    Networks, SideCaseTest,
    testing::Values(
        Case{
            "strategy = \"logits.kd\"\nteacher = \"big\"",
            "kd.toml:11:8 teacher[1].name \"wide\" no [[transfer]] has it as its teacher; add one, "
            "or take it out\nkd.toml:22:1 transfer[0].student missing; there are several students: "
            "a, b; name the one that learns: student = \"a\"\n2 mistakes; nothing was started."},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"",
             "kd.toml:22:1 transfer[0].teacher missing; there are several teachers: big, wide; "
             "name one, or those that are averaged: teacher = [\"big\", \"wide\"]"},
        Case{"strategy = \"feature.fitnet\"\nstudent = \"b\"",
             "kd.toml:22:1 transfer[0].teacher missing; there are several teachers: big, wide; "
             "name one: teacher = \"big\""},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = 3",
             "kd.toml:25:11 transfer[0].teacher = 3 must be a name or a list of names, not an "
             "integer"},
        Case{"strategy = \"logits.kd\"\nstudent = 3\nteacher = [\"big\", \"wide\"]",
             "kd.toml:24:11 transfer[0].student = 3 must be text in quotes, not an integer"},
        Case{"strategy = \"logits.kd\"\nstudent = \"big\"\nteacher = [\"big\", \"wide\"]",
             "kd.toml:24:11 transfer[0].student \"big\" is a teacher, and a teacher does not "
             "learn; make it a [[student]]"},
        Case{"strategy = \"logits.kd\"\nstudent = \"c\"\nteacher = [\"big\", \"wide\"]",
             "kd.toml:24:11 transfer[0].student \"c\" unknown student known: a, b"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"big\", \"wied\"]",
             "kd.toml:25:19 transfer[0].teacher[1] \"wied\" unknown network; did you mean "
             "\"wide\"? known: big, wide, a, b"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"big\", \"wide\", \"big\"]",
             "kd.toml:25:27 transfer[0].teacher[2] \"big\" given twice; name it once"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = []",
             "kd.toml:25:11 transfer[0].teacher must have at least one name"},
        Case{"strategy = \"feature.fitnet\"\nstudent = \"b\"\nteacher = [\"big\", \"wide\"]",
             "kd.toml:25:11 transfer[0].teacher feature.fitnet compares taps of one teacher; write "
             "a [[transfer]] for each"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"big\", \"wide\", \"b\"]",
             "kd.toml:25:11 transfer[0].teacher has the student itself, \"b\", on the same view; "
             "name another network, or compare two of its views: view = { student = ..., teacher = "
             "... }"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"a\", \"wide\", \"big\"]",
             "kd.toml:22:1 transfer[0].view missing; \"wide\" does not see \"x\", the first view "
             "of \"a\"; name one that all of them see: view = { teacher = ... }"},
        Case{"strategy = \"logits.kd\"\nstudent = \"a\"\nteacher = [\"a\", \"wide\", "
             "\"big\"]\nview = { student = \"default\", teacher = \"default\" }",
             "kd.toml:25:11 transfer[0].teacher has the student itself, \"a\", on the same view; "
             "name another network, or compare two of its views: view = { student = ..., teacher = "
             "... }"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"big\", \"wide\"]\nview = 3",
             "kd.toml:26:8 transfer[0].view = 3 must be a view's name or { student = ..., teacher "
             "= ... }, not an integer"},
        Case{"strategy = \"logits.kd\"\nstudent = \"a\"\nteacher = [\"wide\", \"big\"]\nview = "
             "\"x\"",
             "kd.toml:26:8 transfer[0].view \"x\" \"wide\" does not see it; add it to the views of "
             "teacher[1], or take one of them: default, four"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"big\", \"wide\"]\nview = {}",
             "kd.toml:26:8 transfer[0].view must name at least one view; write { student = ..., "
             "teacher = ... }, or leave it out for the first view of each"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"wide\", \"big\"]\nview = { "
             "studnet = \"x\" }",
             "kd.toml:26:10 transfer[0].view.studnet unknown key; did you mean \"student\"? known: "
             "student, teacher"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"wide\", \"big\"]\nview = { "
             "student = \"x\" }",
             "kd.toml:26:20 transfer[0].view.student \"x\" \"b\" does not see it; add it to the "
             "views of student[1], or take one of them: default"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"wide\", \"big\"]\nview = { "
             "teacher = 3 }",
             "kd.toml:26:20 transfer[0].view.teacher = 3 must be text in quotes, not an integer"},
        Case{"strategy = \"logits.kd\"\nstudent = \"b\"\nteacher = [\"big\", \"wide\"]\nview = { "
             "teacher = \"four\" }",
             "kd.toml:26:20 transfer[0].view.teacher \"four\" \"big\" does not see it; add it to "
             "the views of teacher[0], or take one of them: default, x"},
        Case{"strategy = \"logits.kd\"\nstudent = \"a\"\nteacher = [\"wide\", \"big\"]\nview = { "
             "student = \"four\" }",
             "kd.toml:26:8 transfer[0].view the student's \"four\" has times = 4 and the teacher's "
             "\"default\" 1; they are compared copy by copy"}));

class NoTeacherCaseTest : public OneCaseTest {};
TEST_P(NoTeacherCaseTest, IsExact) { expect_after(kWithTeacher + "[[transfer]]\n"); }
INSTANTIATE_TEST_SUITE_P(
    Networks, NoTeacherCaseTest,
    testing::Values(
        Case{"strategy = \"logits.tf_kd\"\nteacher = \"teacher\"",
             "kd.toml:9:1 transfer[0].teacher logits.tf_kd needs no teacher; remove it"},
        Case{"strategy = \"logits.tf_kd\"\nview = { student = \"default\", teacher = \"default\" }",
             "kd.toml:9:31 transfer[0].view.teacher logits.tf_kd needs no teacher; remove it"},
        Case{"strategy = \"logits.kd\"\nteacher = \"student\"",
             "kd.toml:9:11 transfer[0].teacher has the student itself, \"student\", on the same "
             "view; name another network, or compare two of its views: view = { student = ..., "
             "teacher = ... }"},
        Case{"strategy = \"logits.kd\"\nstudent = \"teacher\"",
             "kd.toml:9:11 transfer[0].student \"teacher\" is a teacher, and a teacher does not "
             "learn; make it a [[student]]"}));

class PhaseCaseTest : public OneCaseTest {};
TEST_P(PhaseCaseTest, IsExact) {
  write("w.safetensors", "x");
  expect_after(kTwoOfEachOnOneView +
               "strategy = \"logits.kd\"\nname = \"x\"\nstudent = \"a\"\nteacher = "
               "\"big\"\n[[transfer]]\nstrategy = \"logits.kd\"\nname = \"y\"\nstudent = "
               "\"b\"\nteacher = \"wide\"\n");
}
INSTANTIATE_TEST_SUITE_P(
    Networks, PhaseCaseTest,
    testing::Values(
        Case{"[phase]\nname = \"one\"",
             "kd.toml:32:1 phase must be a list: write [[phase]] above each"},
        Case{"[[phase]]\nterms = [\"x\", \"y\"]",
             "kd.toml:32:1 phase[0].name missing; it names files: name = \"hint\""},
        Case{"[[phase]]\nname = 3",
             "kd.toml:33:8 phase[0].name = 3 must be text in quotes, not an integer"},
        Case{"[[phase]]\nname = \"a b\"",
             "kd.toml:33:8 phase[0].name \"a b\" must be letters, digits, \".\", \"_\" and \"-\", "
             "at most 100 and none of \".-\" first: it names files"},
        Case{"[[phase]]\nname = \"alone\"",
             "kd.toml:33:8 phase[0].name \"alone\" is what the host calls a training of its own; "
             "give it another name: name = \"my.alone\""},
        Case{
            "[[phase]]\nname = \"all\"",
            "kd.toml:33:8 phase[0].name \"all\" stands for every phase in `bench --phase`; give it "
            "another name"},
        Case{"[[phase]]\nname = \"student\"",
             "kd.toml:33:8 phase[0].name \"student\" is what the host calls a training of its own; "
             "give it another name: name = \"my.student\""},
        Case{"[[phase]]\nname = \"alone.a\"",
             "kd.toml:33:8 phase[0].name \"alone.a\" is what the host calls a training of its own; "
             "give it another name: name = \"my.alone.a\""},
        Case{"[[phase]]\nname = \"teacher\"",
             "kd.toml:33:8 phase[0].name \"teacher\" is what the host calls a training of its own; "
             "give it another name: name = \"my.teacher\""},
        Case{"[[phase]]\nname = \"wide\"",
             "kd.toml:33:8 phase[0].name \"wide\" is what the training of that teacher is called; "
             "give it another name: name = \"wide.2\""},
        Case{"[[phase]]\nname = \"one\"\n[[phase]]\nname = \"one\"",
             "kd.toml:35:8 phase[1].name \"one\" an earlier phase has this name; give it another "
             "name: name = \"one.2\""},
        Case{"[[phase]]\nname = \"one\"\nepochs = 3",
             "kd.toml:34:1 phase[0].epochs unknown key known: name, terms, learn, train"},
        Case{"[[phase]]\nname = \"one\"\ntrain = { epoch = 3 }",
             "kd.toml:34:11 phase[0].train.epoch unknown key; did you mean \"epochs\"? known: "
             "epochs, optimizer, schedule, clip_norm, label_smoothing, no_decay, eval_batch_size, "
             "accumulate, ema, early_stop, non_finite"},
        Case{"[[phase]]\nname = \"one\"\ntrain = { epochs = 2, schedule = { warmup_epochs = 2 } }",
             "kd.toml:34:52 phase[0].train.schedule.warmup_epochs = 2 the warm-up must end before "
             "the training does, after epoch 2"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nterms = \"x\"",
             "kd.toml:36:9 phase[1].terms \"x\" must be a list of names, not text"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nterms = []",
             "kd.toml:36:9 phase[1].terms must have at least one name"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nterms = [\"taks\"]",
             "kd.toml:36:10 phase[1].terms[0] \"taks\" unknown term; did you mean \"task\"? known: "
             "task, x, y"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nterms = [\"x\", \"x\"]",
             "kd.toml:36:15 phase[1].terms[1] \"x\" given twice; name it once"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nterms = [\"zzzzz\"]",
             "kd.toml:36:10 phase[1].terms[0] \"zzzzz\" unknown term known: task, x, y"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nlearn = []",
             "kd.toml:36:9 phase[1].learn must have at least one name"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nlearn = [\"big\", \"a\", "
             "\"b\"]",
             "kd.toml:36:10 phase[1].learn[0] \"big\" a teacher does not learn; make it a "
             "[[student]]"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nlearn = [\"zzzzz\", \"a\", "
             "\"b\"]",
             "kd.toml:36:10 phase[1].learn[0] \"zzzzz\" unknown student or transfer known: a, b, "
             "x, y"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nlearn = [\"a\", \"b\", "
             "\"b:layer2\"]",
             "kd.toml:36:20 phase[1].learn[2] \"b:layer2\" has \"b\" again; name it once"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nlearn = [\"a:\", \"b\"]",
             "kd.toml:36:10 phase[1].learn[0] \"a:\" names no tap; write \"a:layer2\", or \"a\" "
             "for the whole network"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nlearn = [\"x:layer2\", \"a\", "
             "\"b\"]",
             "kd.toml:36:10 phase[1].learn[0] \"x:layer2\" is a transfer, whose modules have no "
             "taps; write \"x\""},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nterms = [\"y\"]\nlearn = "
             "[\"x\", \"b\"]",
             "kd.toml:37:10 phase[1].learn[0] \"x\" is not among the phase's terms; add it to "
             "phase[1].terms, or take it out here"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nterms = [\"x\"]\nlearn = "
             "[\"x\"]",
             "kd.toml:37:9 phase[1].learn trains nothing: it has no student; add one, as in \"a\""},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nterms = [\"x\"]\nlearn = "
             "[\"a\", \"b\"]",
             "kd.toml:37:15 phase[1].learn no term of the phase reaches \"b\"; add \"task\" or a "
             "transfer to it, or take it out"},
        Case{"[[phase]]\nname = \"zero\"\n[[phase]]\nname = \"one\"\nlearn = [\"a\"]",
             "kd.toml:36:9 phase[1].learn lacks \"b\", which \"y\" teaches; add it, or take that "
             "out of the phase's terms"},
        Case{"[[phase]]\nname = \"one\"\nterms = [\"task\", \"x\"]",
             "kd.toml:27:1 transfer[1] no [[phase]] has \"y\" among its terms; add it to one, or "
             "take it out"},
        Case{"[[phase]]\nname = \"one\"\n[task]\nweight = 0\n[[phase]]\nname = \"two\"\nterms = "
             "[\"task\"]\nlearn = [\"a\"]",
             "kd.toml:38:9 phase[1].terms none that reaches \"a\" has a weight above 0: it would "
             "learn nothing"},
        Case{"[[phase]]\nname = \"one\"\nterms = [\"x\", \"y\"]\n[baseline]\nstudent_alone = true",
             "kd.toml:36:17 baseline.student_alone = true no [[phase]] has \"task\" among its "
             "terms, and a student alone would learn nothing; add it to one, or take this out"}));

}  // namespace
}  // namespace retort::host
