#include <malloc.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <c10/util/Exception.h>

#include <csignal>
#include <cstdio>
#include <iostream>

#include "framework/cli/commands.hpp"

namespace retort::host {
namespace {

/// Keeps freed memory in the process: a training step frees and asks for the same blocks again, and
/// the kernel's page faults would cost a tenth of it.
void keep_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
}

void log_to_stderr() {
  auto logger = spdlog::stderr_logger_mt("retort");
  logger->set_pattern("%l: %v");
  spdlog::set_default_logger(logger);
}

int run_program(int argc, char** argv) {
  CLI::App app("Distils a trained network (the teacher) into a small one (the student).", "retort");
  app.require_subcommand(0, 1);  // checked below: an unknown command is then told by its name
  app.set_version_flag("--version", "retort " RETORT_VERSION ", LibTorch " RETORT_TORCH_VERSION);
  CommonOptions common;
  ExitCode exit_code = ExitCode::Ok;
  app.add_option("--plugins", common.plugin_folders,
                 "Folder of plugins, searched before the usual ones")
      ->allow_extra_args(false);  // what follows is not a second folder
  app.add_flag("--json", common.json, "Print results as JSON");
  app.fallthrough();
  add_run_command(app, common, exit_code);
  add_check_command(app, common, exit_code);
  add_eval_command(app, common, exit_code);
  add_list_commands(app, common, exit_code);
  add_bench_command(app, common, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::Config);
  }
  if (app.get_subcommands().empty()) {
    std::cerr << app.help();
    return static_cast<int>(ExitCode::Config);
  }
  return static_cast<int>(exit_code);
}

}  // namespace
}  // namespace retort::host

int main(int argc, char** argv) {
  using namespace retort::host;
  keep_memory();
  std::signal(SIGXFSZ,
              SIG_IGN);  // a file that grows too large is an error to report, not a reason to die
  log_to_stderr();
  try {
    return run_program(argc, argv);
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const c10::Error& error) {
    std::cerr << "LibTorch: " << error.what_without_backtrace() << "\n";
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
  }
  return static_cast<int>(ExitCode::RunFailed);
}
