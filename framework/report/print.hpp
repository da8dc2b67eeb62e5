#pragma once

#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <string>
#include <utility>

#include "framework/io/json_text.hpp"

namespace retort::host {

/// Prints results on stdout, formatted as by fmt and made safe to show: the one way to print them.
template <class... Values>
void print_out(fmt::format_string<Values...> form, Values&&... values) {
  const std::string text = safe_text(fmt::format(form, std::forward<Values>(values)...));
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace retort::host
