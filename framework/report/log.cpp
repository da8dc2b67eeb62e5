#include "framework/report/log.hpp"

#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "framework/guard/crash.hpp"

namespace retort::host {
namespace {

bool json_lines = false;

using nlohmann::ordered_json;

double seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// A name that is not UTF-8 must not end the run.
std::string line_of(const ordered_json& object) {
  return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

ordered_json error_object(const std::string& message) {
  return {{"time", seconds_of(std::chrono::system_clock::now())},
          {"level", "error"},
          {"message", message}};
}

ordered_json object_of(const Mistake& mistake) {
  const Place& place = mistake.place;
  ordered_json object =
      error_object(mistake.subject + (mistake.subject.empty() ? "" : "  ") + mistake.what);
  const bool has_line = place.line > 0;
  object["file"] = place.file;
  object["line"] = has_line ? ordered_json(place.line) : ordered_json();
  object["column"] = has_line ? ordered_json(place.column) : ordered_json();
  object["subject"] = mistake.subject;
  object["what"] = mistake.what;
  return object;
}

void write(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string text =
        line_of({{"time", seconds_of(message.time)},
                 {"level", std::string(level.data(), level.size())},
                 {"message", std::string(message.payload.data(), message.payload.size())}});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

}  // namespace

void log_as_json() {
  json_lines = true;
  tell_crashes_as_json();
  spdlog::set_formatter(std::make_unique<JsonFormatter>());
}

bool logs_json() { return json_lines; }

void say(const std::string& line) {
  if (json_lines) {
    spdlog::info("{}", line);
  } else if (spdlog::should_log(spdlog::level::info)) {
    write(line + "\n");
  }
}

void say_error(const std::string& message) {
  write(json_lines ? line_of(error_object(message)) : message + "\n");
}

void say_error(const MistakesError& error) {
  if (!json_lines) return say_error(std::string(error.what()));
  for (const Mistake& mistake : error.mistakes()) write(line_of(object_of(mistake)));
}

}  // namespace retort::host
