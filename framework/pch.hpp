#pragma once
// Precompiled for the framework, the program and the tests: the headers that cost most to read.
#include <ATen/core/Tensor.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
