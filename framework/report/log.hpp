#pragma once

#include <string>

namespace retort::host {

/// Makes each line of the log on stderr a JSON object: {"time": seconds, "level", "message"}.
void log_as_json();

/// Tells what a run does, on stderr: the line as it is, or an object of level info where the log is
/// JSON. Silent where the log's level is above info.
void say(const std::string& line);

/// Whether log_as_json() was called: then nothing else belongs on stderr.
bool logs_json();

}  // namespace retort::host
