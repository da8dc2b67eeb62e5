#include <gmock/gmock.h>
#include <retort/declaration.hpp>

#include <algorithm>
#include <map>
#include <sstream>

#include "framework/config/blocks.hpp"
#include "framework/config/resolved.hpp"
#include "framework/config/schema.hpp"
#include "framework/config/toml_file.hpp"
#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {
namespace {

using testing::HasSubstr;
class SchemaTest : public ConfigTest {
 protected:
  SchemaTest() { catalog_.add_built_in(); }  // which has keys of its own
};

/// What a key is set to where it has no default, and what must be said with it.
struct Example {
  std::string value;
  std::vector<std::string> beside;
};

const std::string kSeen = "student.views=[\"NAME\"]";
const std::string kOther = "data.views.x.augment=[\"flip\"]";
const std::string kPhase = "phase=[{ name = \"one\" }]";

const std::map<std::string, Example> kExamples = {
    {"name", {"mine", {}}},
    {"seeds", {"[1, 2]", {}}},
    {"data.dataset", {"fashion_mnist", {}}},
    {"data.normalize.mean", {"[0.5]", {"data.normalize.std=[0.25]"}}},
    {"data.normalize.std", {"[0.5]", {"data.normalize.mean=[0.25]"}}},
    {"data.views.NAME.augment", {"[\"flip\"]", {kSeen}}},
    {"data.views.NAME.like", {"default", {kSeen}}},
    {"data.views.NAME.size", {"8", {kSeen}}},
    {"data.views.NAME.times", {"4", {kSeen, "teacher.views=[\"NAME\"]"}}},
    {"train.optimizer.delta", {"0.09", {"train.optimizer=dot"}}},
    {"train.optimizer.betas", {"[0.8, 0.9]", {"train.optimizer=adam"}}},
    {"train.optimizer.eps", {"1e-6", {"train.optimizer=adamw"}}},
    {"train.schedule.gamma", {"0.5", {"train.schedule=step"}}},
    {"train.schedule.step_epochs", {"3", {"train.schedule=step"}}},
    {"train.schedule.milestones", {"[2, 3]", {"train.schedule.name=multistep"}}},
    {"train.schedule.min_lr", {"0.01", {"train.schedule=cosine"}}},
    {"train.clip_norm", {"5", {}}},
    {"transfer[0].strategy", {"feature.fitnet", {}}},
    {"transfer[0].name", {"mine", {}}},
    {"transfer[0].weight.from",
     {"2", {"transfer[0].weight={ from = 2, to = 3, epochs = [0, 1] }"}}},
    {"transfer[0].weight.to", {"3", {"transfer[0].weight={ from = 2, to = 3, epochs = [0, 1] }"}}},
    {"transfer[0].weight.epochs",
     {"[0, 2]", {"transfer[0].weight={ from = 2, to = 3, epochs = [0, 1] }"}}},
    {"transfer[0].bind",
     {"{ student = [\"a\"], teacher = [\"b\"] }", {"transfer[0].strategy=feature.fitnet"}}},
    {"transfer[0].student",
     {"a",
      {"student=[{ name = \"a\", model = \"resnet\" }, { name = \"b\", model = \"resnet\" }]"}}},
    {"transfer[0].teacher",
     {"[\"x\", \"y\"]",
      {"teacher=[{ name = \"x\", model = \"resnet\" }, { name = \"y\", model = \"resnet\" }]"}}},
    {"transfer[0].view",
     {"x", {kOther, "student.views=[\"default\", \"x\"]", "teacher.views=[\"default\", \"x\"]"}}},
    {"teacher.model", {"convnet", {}}},
    {"teacher.file", {"w.safetensors", {"teacher.model=exported"}}},
    {"teacher.logits", {"output#1", {"teacher.model=exported", "teacher.file=w.safetensors"}}},
    {"teacher.start", {"new", {"teacher.model=exported", "teacher.file=w.safetensors"}}},
    {"teacher.name", {"big", {}}},
    {"teacher.views", {"[\"x\"]", {kOther}}},
    {"teacher.mode", {"train", {}}},
    {"teacher.weights", {"w.safetensors", {}}},
    {"teacher.rename", {"{ a = \"b\" }", {"teacher.weights=w.safetensors"}}},
    {"teacher.normalize.mean", {"[0.5]", {"teacher.normalize.std=[0.25]"}}},
    {"teacher.normalize.std", {"[0.5]", {"teacher.normalize.mean=[0.25]"}}},
    {"teacher.train", {"{ epochs = 3 }", {}}},
    {"student.model", {"convnet", {}}},
    {"student.file", {"w.safetensors", {"student.model=exported"}}},
    {"student.logits", {"output#1", {"student.model=exported", "student.file=w.safetensors"}}},
    {"student.start", {"new", {"student.model=exported", "student.file=w.safetensors"}}},
    {"student.name", {"small", {}}},
    {"student.views",
     {"[\"x\", \"default\"]", {kOther, "transfer[0].view={ student = \"default\" }"}}},
    {"student.weights", {"w.safetensors", {}}},
    {"student.rename", {"{ a = \"b\" }", {"student.weights=w.safetensors"}}},
    {"student.normalize.mean", {"[0.5]", {"student.normalize.std=[0.25]"}}},
    {"student.normalize.std", {"[0.5]", {"student.normalize.mean=[0.25]"}}},
    {"phase[0].name", {"mine", {kPhase}}},
    {"phase[0].terms", {"[\"logits.kd\"]", {kPhase}}},
    {"phase[0].learn", {"[\"student\"]", {kPhase}}},
    {"phase[0].train", {"{ epochs = 3 }", {kPhase}}},
    {"sweep.kind", {"list", {"sweep.keys={ \"train.epochs\" = [1] }"}}},
    {"sweep.trials", {"3", {"sweep.kind=random", "sweep.keys={ \"train.epochs\" = [1] }"}}},
    {"sweep.keys", {"{ \"train.epochs\" = [1, 2] }", {}}},
};

const std::string kBase = kWithTeacher + "[[transfer]]\nstrategy = \"logits.kd\"\n";

/// The value at a path like transfer[0].weight.
const config::Node* at(const config::Node& tree, const std::string& path) {
  const config::Node* node = &tree;
  for (size_t i = 0; node != nullptr && i < path.size();) {
    if (path[i] == '[') {
      node = node->items.empty() ? nullptr : &node->items.front();
      i = path.find(']', i) + 1;
    } else {
      if (path[i] == '.') ++i;
      const size_t end = std::min(path.find_first_of(".[", i), path.size());
      node = node->find(path.substr(i, end - i));
      i = end;
    }
  }
  return node;
}

TEST_F(SchemaTest, EveryKeyIsAcceptedAndStandsInTheResolvedFile) {
  write("w.safetensors", "x");
  for (const config::KeyInfo& key : experiment_keys()) {
    if (key.path == "extends") continue;  // has been followed
    SCOPED_TRACE(key.path);
    const auto found = kExamples.find(key.path);
    const Example example =
        found != kExamples.end() ? found->second : Example{key.default_value, {}};
    ASSERT_NE(example.value, "") << "has no default; give it an example above";
    std::vector<std::string> overrides = example.beside;
    overrides.push_back(key.path + "=" + example.value);
    ASSERT_EQ(mistakes(kBase, overrides), "");
    Diagnostics diagnostics;
    const auto tree = config::parse_toml(to_toml(load(kBase, overrides)), "", diagnostics);
    ASSERT_TRUE(tree.has_value());
    EXPECT_NE(at(*tree, key.path), nullptr) << "is not written";
  }
}

TEST_F(SchemaTest, EveryKeyIsDeclaredOnceWithATypeAndASentence) {
  std::map<std::string, int> count;
  for (const config::KeyInfo& key : experiment_keys()) {
    EXPECT_EQ(++count[key.path], 1) << key.path;
    EXPECT_FALSE(key.type.empty()) << key.path;
    EXPECT_GE(key.text.size(), 10u) << key.path;
  }
  for (const auto& [path, example] : kExamples) EXPECT_EQ(count.count(path), 1u) << path;
}

/// The keys that the readers know are those they declare: what they list for a wrong key.
TEST_F(SchemaTest, WhatAMistakeCallsKnownIsDeclared) {
  std::vector<std::string> paths;
  for (const config::KeyInfo& key : experiment_keys()) paths.push_back(key.path);
  for (const std::string section : {"data", "train", "run", "task", "baseline", "sweep"}) {
    const std::string told = mistakes(kBase, {section + ".zzzzzzzz=1"});
    const size_t known = told.find("known: ");
    ASSERT_NE(known, std::string::npos) << told;
    std::istringstream words(told.substr(known + 7, told.find('\n', known) - known - 7));
    for (std::string word; words >> word;) {
      if (word.back() == ',') word.pop_back();
      const std::string path = section + "." + word;
      const bool table = std::any_of(paths.begin(), paths.end(), [&](const std::string& declared) {
        return declared.starts_with(path + ".");
      });
      const bool option = path == "data.root";  // of the data set
      EXPECT_TRUE(table || option || std::count(paths.begin(), paths.end(), path) == 1) << path;
    }
  }
}

/// What authors of plugins have been told. A new key beside options takes a name from them: an
/// installed plugin with an option of that name is refused, so choose one that none has, and add it.
TEST_F(SchemaTest, NamesThatOptionsMayNotHaveAreTheReadersKeys) {
  using testing::UnorderedElementsAre;
  ReservedNames reserved = reserved_option_names();
  EXPECT_THAT(reserved[RETORT_KIND_STRATEGY],
              UnorderedElementsAre("strategy", "name", "weight", "bind", "student", "teacher",
                                   "view", "host"));
  EXPECT_THAT(reserved[RETORT_KIND_MODEL],
              UnorderedElementsAre("model", "name", "weights", "rename", "train", "normalize",
                                   "views", "mode", "host", "file", "logits", "start"));
  EXPECT_THAT(reserved[RETORT_KIND_DATASET],
              UnorderedElementsAre("dataset", "batch_size", "augment", "normalize", "train_samples",
                                   "validation", "mixup", "cutmix", "views", "host"));
}

TEST_F(SchemaTest, NamesThatOptionsMayNotHaveAreRefusedByTheCompilerToo) {
  for (const auto& [kind, names] : reserved_option_names()) {
    for (const std::string& name : names) {
      EXPECT_TRUE(::retort::detail::is_reserved(kind, name)) << kind_name(kind) << " " << name;
    }
  }
}

/// What a run folder keeps absolute, and looks for where the project was moved.
TEST_F(SchemaTest, PathsAreDeclaredByTheirReaders) {
  std::map<std::string, config::PathFrom> paths;
  for (const config::KeyInfo& key : experiment_keys()) {
    if (key.path_from != config::PathFrom::NoPath) paths[key.path] = key.path_from;
  }
  EXPECT_THAT(paths,
              testing::ElementsAre(testing::Pair("run.out", config::PathFrom::Start),
                                   testing::Pair("student.file", config::PathFrom::File),
                                   testing::Pair("student.weights", config::PathFrom::File),
                                   testing::Pair("teacher.file", config::PathFrom::File),
                                   testing::Pair("teacher.weights", config::PathFrom::File)));
}

TEST_F(SchemaTest, KeysKeptForLaterAreRefused) {
  EXPECT_EQ(mistake(kSmall + "host = 1\n"), "kd.toml:5:1 student.host is not built yet");
  for (const config::KeyInfo& key : experiment_keys()) EXPECT_FALSE(key.path.ends_with(".host"));
}

TEST_F(SchemaTest, TheBlockHasEveryKeyWithWhatItTakes) {
  const std::string block = "\n" + experiment_block();
  for (const config::KeyInfo& key : experiment_keys()) {
    const bool view = key.path.starts_with("data.views.");
    const size_t dot = view ? key.path.rfind('.') : key.path.find('.');
    const std::string name = dot == std::string::npos ? key.path : key.path.substr(dot + 1);
    const bool active = key.applies && !key.default_value.empty();
    EXPECT_THAT(
        block, HasSubstr("\n" + std::string(active ? "" : "# ") + name + " = " + key.default_value))
        << key.path;
    EXPECT_THAT(block, HasSubstr(key.text)) << key.path;
  }
  EXPECT_THAT(block, HasSubstr("\n[train]\nepochs = 1"));
  EXPECT_THAT(block, HasSubstr("\n[[transfer]]\n# strategy = "));
  EXPECT_THAT(block, HasSubstr("\n# [[phase]]\n# name = "));
  EXPECT_THAT(block, HasSubstr("\n# [data.views.NAME]\n# augment = "));
}

/// What is a comment in it as a whole is an experiment too.
TEST_F(SchemaTest, WhatTheBlockLeavesOutCanBePutIn) {
  std::string block = experiment_block();
  for (const std::string line : {"[[phase]]", "[data.views.NAME]"}) {
    const size_t at = block.find("# " + line);
    ASSERT_NE(at, std::string::npos) << line;
    block.erase(at, 2);
  }
  const size_t phase = block.find("[[phase]]");
  const size_t name = block.find("# name =", phase);
  block.replace(name, 8, "name = \"one\"");
  EXPECT_EQ(mistakes(block, {"data.dataset=fashion_mnist", "teacher.model=resnet",
                             "student.model=resnet", kSeen, "transfer[0].strategy=logits.kd",
                             "sweep.keys={ \"phase[0].train.epochs\" = [1] }"}),
            "");
}

/// As printed, with the ids filled in, it is an experiment: the defaults.
TEST_F(SchemaTest, TheBlockIsAnExperimentOnceItsIdsAreGiven) {
  EXPECT_EQ(mistakes(experiment_block(),
                     {"data.dataset=fashion_mnist", "teacher.model=resnet", "student.model=resnet",
                      "transfer[0].strategy=logits.kd", "sweep.keys={ \"train.epochs\" = [1] }"}),
            "");
}

}  // namespace
}  // namespace retort::host
