#include "framework/report/log.hpp"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "framework/guard/crash.hpp"
#include "framework/io/json_text.hpp"

namespace retort::host {
namespace {

bool json_lines = false;

using nlohmann::ordered_json;

double seconds_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

std::string line_of(const ordered_json& object) { return json_text(object) + "\n"; }

ordered_json error_object(const std::string& message) {
  return {{"time", seconds_of(std::chrono::system_clock::now())},
          {"level", "error"},
          {"message", safe_text(message)}};
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
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::string shown_text(spdlog::string_view_t view) { return safe_text({view.data(), view.size()}); }

class TextFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string line = shown_text(spdlog::level::to_string_view(message.level)) + ": " +
                             shown_text(message.payload) + "\n";
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<TextFormatter>();
  }
};

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string text =
        line_of({{"time", seconds_of(message.time)},
                 {"level", shown_text(spdlog::level::to_string_view(message.level))},
                 {"message", shown_text(message.payload)}});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

}  // namespace

void log_to_stderr() {
  const auto logger = spdlog::stderr_logger_mt("retort");
  logger->set_formatter(std::make_unique<TextFormatter>());
  spdlog::set_default_logger(logger);
}

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
    write(safe_text(line) + "\n");
  }
}

void say_error(const std::string& message) {
  write(json_lines ? line_of(error_object(message)) : safe_text(message) + "\n");
}

void say_error(const MistakesError& error) {
  if (!json_lines) return say_error(std::string(error.what()));
  for (const Mistake& mistake : error.mistakes()) write(line_of(object_of(mistake)));
}

}  // namespace retort::host
