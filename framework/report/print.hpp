#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>
#include <utility>

#include "framework/guard/own_output.hpp"
#include "framework/io/json_text.hpp"

namespace retort::host {

/// Prints results on stdout, formatted as by fmt and made safe to show: the one way to print them.
template <class... Values>
void print_out(fmt::format_string<Values...> form, Values&&... values) {
  write_output(safe_text(fmt::format(form, std::forward<Values>(values)...)));
}

}  // namespace retort::host
