#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/error.hpp"

namespace retort::host {

/// What is common to all commands: where plugins are found, and how results are printed.
struct CommonOptions {
  std::vector<std::string> plugin_folders;  // before the usual ones
  bool json = false;
};

// Each adds one command with its options; the command's work is its callback, which throws Error
// when it fails and stores another exit code than 0 in `exit_code`.
void add_run_command(CLI::App& app, const CommonOptions& common, ExitCode& exit_code);
void add_check_command(CLI::App& app, const CommonOptions& common, ExitCode& exit_code);
void add_eval_command(CLI::App& app, const CommonOptions& common, ExitCode& exit_code);
void add_list_commands(CLI::App& app, const CommonOptions& common,
                       ExitCode& exit_code);  // ls, inspect
void add_bench_command(CLI::App& app, const CommonOptions& common, ExitCode& exit_code);

}  // namespace retort::host
