#include "framework/report/log.hpp"

#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

namespace retort::host {
namespace {

bool json_lines = false;

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    const nlohmann::ordered_json line = {
        {"time", std::chrono::duration<double>(message.time.time_since_epoch()).count()},
        {"level", std::string(level.data(), level.size())},
        {"message", std::string(message.payload.data(), message.payload.size())}};
    // A name that is not UTF-8 must not end the run.
    const std::string text =
        line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

}  // namespace

void log_as_json() {
  json_lines = true;
  spdlog::set_formatter(std::make_unique<JsonFormatter>());
}

bool logs_json() { return json_lines; }

void say(const std::string& line) {
  if (json_lines) {
    spdlog::info("{}", line);
  } else if (spdlog::should_log(spdlog::level::info)) {
    std::fprintf(stderr, "%s\n", line.c_str());
    std::fflush(stderr);
  }
}

}  // namespace retort::host
