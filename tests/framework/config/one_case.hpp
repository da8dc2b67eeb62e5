#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "tests/framework/config/config_fixture.hpp"

namespace retort::host {

/// Lines that are wrong, and the whole message.
struct Case {
  const char* lines;
  const char* message;
};

inline void PrintTo(const Case& value, std::ostream* out) { *out << value.lines; }

/// Appends the lines to a text that is right.
class OneCaseTest : public ConfigTest, public testing::WithParamInterface<Case> {
 protected:
  void expect_after(const std::string& before) {
    EXPECT_EQ(mistake(before + GetParam().lines + "\n"), GetParam().message);
  }
};

inline const std::string kData = "[data]\ndataset = \"fashion_mnist\"\n";

/// Ends with the header of line 22.
inline const std::string kTwoOfEach = R"toml([data]
dataset = "fashion_mnist"
[data.views.x]
[data.views.four]
times = 4
[[teacher]]
name = "big"
model = "resnet"
views = ["default", "x"]
[[teacher]]
name = "wide"
model = "resnet"
views = ["default", "four"]
[[student]]
name = "a"
model = "resnet"
views = ["x", "default", "four"]
[[student]]
name = "b"
model = "resnet"
weights = "w.safetensors"
[[transfer]]
)toml";

}  // namespace retort::host
