#include "framework/config/diagnostics.hpp"

#include <gtest/gtest.h>

#include "framework/base/error.hpp"

namespace retort::host {
namespace {

TEST(Diagnostics, AlignsColumnsInTheOrderOfTheFile) {
  Diagnostics diagnostics;
  diagnostics.add({"kd.toml", 17, 12}, "transfer[1].strategy \"logits.dk\"",
                  "in no plugin; did you mean \"logits.dkd\"?");
  diagnostics.add({"kd.toml", 9, 1}, "student.widht",
                  "unknown key; did you mean \"width\"?  known: depth, width, shortcut");
  diagnostics.add({"kd.toml", 14, 15}, "transfer[0].temperature = -2", "must be > 0 (default 4)");
  EXPECT_EQ(diagnostics.text(),
            "kd.toml:9:1    student.widht                  unknown key; did you mean \"width\"?"
            "  known: depth, width, shortcut\n"
            "kd.toml:14:15  transfer[0].temperature = -2   must be > 0 (default 4)\n"
            "kd.toml:17:12  transfer[1].strategy \"logits.dk\"   in no plugin; did you mean "
            "\"logits.dkd\"?\n"
            "3 mistakes; nothing was started.");
}

TEST(Diagnostics, PutsTheCommandLineLastAndPlacesWithoutALineAfterTheOthers) {
  Diagnostics diagnostics;
  diagnostics.add({"command line: a=1", 0, 0}, "a", "third");
  diagnostics.add({"kd.toml", 0, 0}, "b", "second");
  diagnostics.add({"kd.toml", 7, 2}, "c", "first");
  const std::string text = diagnostics.text();
  EXPECT_LT(text.find("first"), text.find("second"));
  EXPECT_LT(text.find("second"), text.find("third"));
}

TEST(Diagnostics, ThrowsOnceAndOnlyWithAMistake) {
  Diagnostics diagnostics;
  EXPECT_NO_THROW(diagnostics.throw_if_any());
  diagnostics.add({"kd.toml", 1, 1}, "a", "is wrong");
  EXPECT_THROW(diagnostics.throw_if_any(), ConfigError);
}

}  // namespace
}  // namespace retort::host
