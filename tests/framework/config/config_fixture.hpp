#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/config/experiment_file.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::host {

inline OptionInfo option(const std::string& name, retort_option_type type, double number,
                         uint32_t flags = 0, double min = 0, double max = 0) {
  OptionInfo info;
  info.name = name;
  info.type = type;
  info.flags = flags;
  info.default_real = number;
  info.default_int = static_cast<int64_t>(number);
  info.min = min;
  info.max = max;
  return info;
}

inline ComponentInfo component(retort_kind kind, const std::string& id,
                               std::vector<OptionInfo> options) {
  ComponentInfo info;
  info.kind = kind;
  info.id = id;
  info.version = "1.0.0";
  info.needs = RETORT_NEED_LOGITS;
  info.options = std::move(options);
  return info;
}

inline ComponentInfo resnet() {
  OptionInfo shortcut = option("shortcut", RETORT_OPTION_CHOICE, 0);
  shortcut.choices = {"A", "B"};
  shortcut.help = "identity with zeros, or a projection";
  OptionInfo depth = option("depth", RETORT_OPTION_INT, 20, RETORT_OPTION_HAS_MIN, 8);
  depth.help = "6 n + 2 layers";
  OptionInfo width =
      option("width", RETORT_OPTION_REAL, 1, RETORT_OPTION_HAS_MIN | RETORT_OPTION_MIN_OPEN);
  return component(RETORT_KIND_MODEL, "resnet", {depth, width, shortcut});
}

inline ComponentInfo fitnet() {
  ComponentInfo info = component(RETORT_KIND_STRATEGY, "feature.fitnet", {});
  info.needs = RETORT_NEED_FEATURES;
  info.bind_student = {"layer2"};
  info.bind_teacher = {"layer2"};
  return info;
}

inline ComponentInfo rkd() {
  ComponentInfo info =
      component(RETORT_KIND_STRATEGY, "relational.rkd", {option("squared", RETORT_OPTION_BOOL, 0)});
  info.needs = RETORT_NEED_FEATURES;  // without a default binding
  info.batch_min = 2;
  info.batch_multiple_of = 4;
  return info;
}

inline ComponentInfo dkd() {
  ComponentInfo info = component(RETORT_KIND_STRATEGY, "logits.dkd", {});
  info.needs = RETORT_NEED_LOGITS | RETORT_NEED_LABELS;
  return info;
}

inline ComponentInfo tf_kd() {
  ComponentInfo info = component(RETORT_KIND_STRATEGY, "logits.tf_kd", {});
  info.needs = RETORT_NEED_LOGITS | RETORT_NEED_NO_TEACHER;
  return info;
}

/// What these tests believe to be installed.
inline Catalog installed() {
  const uint32_t above = RETORT_OPTION_HAS_MIN | RETORT_OPTION_MIN_OPEN;
  OptionInfo classes = option("classes", RETORT_OPTION_INT, 0, RETORT_OPTION_REQUIRED);
  classes.help = "10 or 100";
  return Catalog::of(
      {resnet(), fitnet(), rkd(), component(RETORT_KIND_MODEL, "convnet", {}),
       component(RETORT_KIND_STRATEGY, "logits.kd",
                 {option("temperature", RETORT_OPTION_REAL, 4, above)}),
       dkd(), tf_kd(),
       component(RETORT_KIND_DATASET, "fashion_mnist", {option("root", RETORT_OPTION_TEXT, 0)}),
       component(RETORT_KIND_DATASET, "cifar", {classes})});
}

/// The shortest valid experiment, to which a test adds what it is about.
inline const std::string kSmall =
    "[data]\ndataset = \"fashion_mnist\"\n[student]\nmodel = \"resnet\"\n";
inline const std::string kWithTeacher = kSmall + "[teacher]\nmodel = \"resnet\"\n";

/// An experiment in which everything is used at once: three views, two teachers, two students that
/// teach each other, and three phases.
inline const std::string kMany = R"toml([data]
dataset = "fashion_mnist"
batch_size = 64
augment = ["crop(2)"]
[data.views.strong]
augment = ["crop(2)", "flip"]
[data.views.large]
like = "default"
size = 224
[data.views."turned.4"]
augment = ["flip"]
times = 4
[[teacher]]
name = "big"
model = "resnet"
depth = 56
views = ["large"]
mode = "train"
[teacher.train]
epochs = 7
optimizer = "adam"
[[teacher]]
name = "wide"
model = "resnet"
views = ["large"]
[[student]]
name = "a"
model = "resnet"
views = ["default", "strong"]
[[student]]
name = "b"
model = "convnet"
views = ["strong", "turned.4", "default"]
[[transfer]]
strategy = "feature.fitnet"
name = "hint"
student = "a"
teacher = "wide"
[[transfer]]
strategy = "logits.kd"
name = "mean"
student = "a"
teacher = ["wide", "big"]
[[transfer]]
strategy = "logits.kd"
name = "peer"
student = "b"
teacher = "a"
view = "default"
[[transfer]]
strategy = "logits.kd"
name = "itself"
student = "a"
teacher = "a"
view = { student = "strong", teacher = "default" }
[[transfer]]
strategy = "logits.tf_kd"
student = "b"
view = "turned.4"
[[phase]]
name = "hint"
terms = ["hint"]
learn = ["a:layer2", "hint"]
train = { epochs = 30, optimizer = "adam" }
[[phase]]
name = "joint"
[[phase]]
name = "distil"
terms = ["peer", "task"]
[phase.train]
schedule = "cosine"
[train]
epochs = 3
)toml";

/// Runs in a folder of its own, so that messages name files without a path.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() : home_(std::filesystem::current_path()) { std::filesystem::current_path(folder_); }
  ~ConfigTest() override { std::filesystem::current_path(home_); }

  static void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::absolute(file).parent_path());
    std::filesystem::remove(file);  // a new file is not flushed to the disk, a truncated one may be
    std::ofstream(file, std::ios::binary) << text;
  }

  Experiment load(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    write("kd.toml", text);
    return load_experiment("kd.toml", overrides, catalog_);
  }

  /// The message of the ConfigError that loading ends with; "" when it does not.
  std::string mistakes(const std::string& text,
                       const std::vector<std::string>& overrides = {}) const {
    try {
      load(text, overrides);
    } catch (const ConfigError& error) {
      EXPECT_EQ(error.code(), ExitCode::Config);
      return error.what();
    }
    return "";
  }

  /// mistakes(), with rows of spaces made one space and the folder of the test taken out.
  std::string mistake(const std::string& text,
                      const std::vector<std::string>& overrides = {}) const {
    std::string message = mistakes(text, overrides);
    const std::string end = "\n1 mistake; nothing was started.";
    if (message.size() > end.size() && message.ends_with(end)) {
      message.resize(message.size() - end.size());
    }
    const std::string here = folder_.string() + "/";
    for (size_t at; (at = message.find(here)) != std::string::npos;) message.erase(at, here.size());
    for (size_t at; (at = message.find("  ")) != std::string::npos;) message.erase(at, 1);
    return message;
  }

  test::Scratch scratch_;  // of its own, also where two builds are tested at the same time
  std::filesystem::path folder_ = scratch_.folder();
  std::filesystem::path home_;
  Catalog catalog_ = installed();
};

}  // namespace retort::host
