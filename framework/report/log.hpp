#pragma once

#include <string>

#include "framework/config/diagnostics.hpp"

namespace retort::host {

/// Opens the log on stderr, a line each: "warning: TEXT". All that is logged, and what say() and
/// say_error() tell, is made safe to show (framework/io/safe_text.hpp).
void log_to_stderr();

/// Makes each line of the log on stderr a JSON object: {"time": seconds, "level", "message"}. A
/// mistake of an experiment has also "file", "line", "column" (1-based; null where it has none),
/// "subject" (the key and the value found) and "what"; the last two together are its message.
void log_as_json();

/// Tells what a run does, on stderr: the line as it is, or an object of level info where the log is
/// JSON. Silent where the log's level is above info.
void say(const std::string& line);

/// Tells an error on stderr, whatever the log's level: the text as it is, or an object of level
/// error where the log is JSON.
void say_error(const std::string& message);
/// The same of mistakes: their text, or an object each.
void say_error(const MistakesError& error);

/// Whether log_as_json() was called: then nothing else belongs on stderr.
bool logs_json();

}  // namespace retort::host
