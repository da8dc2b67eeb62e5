#include "framework/run/run_experiment.hpp"

#include <spdlog/fmt/fmt.h>

#include "framework/base/error.hpp"
#include "framework/report/compare.hpp"
#include "framework/report/log.hpp"
#include "framework/report/report_page.hpp"
#include "framework/report/run_folder.hpp"
#include "framework/report/run_record.hpp"
#include "framework/run/checkpoint.hpp"
#include "framework/run/result_files.hpp"
#include "framework/run/run_in_progress.hpp"

namespace retort::host {
namespace {

/// Ends a run that had come to its end: a kill may have come between the results and what is made from
/// them.
ExitCode finish_again(const Experiment& experiment, const RunLayout& layout, Output output) {
  for (const ResultFile& result : list_result_files(experiment, layout)) {
    if (std::filesystem::exists(result.file)) continue;
    throw DataError(
        fmt::format("{}: finished, but its {} is missing; restore it, or run the "
                    "experiment again",
                    layout.folder().string(), result.file.filename().string()));
  }
  say(layout.folder().string() + ": finished before; nothing is left to do");
  const RunFolder owned(layout.folder());
  if (!std::filesystem::exists(layout.page())) write_report(layout.folder());
  CheckpointStore(layout.states()).clear();
  if (output != Output::None) {
    print_comparison({layout.folder()},
                     output == Output::Json ? CompareFormat::Json : CompareFormat::Text);
  }
  return ExitCode::Ok;
}

}  // namespace

ExitCode run_experiment(const Experiment& experiment, Output output) {
  return RunInProgress(experiment).go(output);
}

ExitCode resume_run(const Experiment& experiment, const std::filesystem::path& folder,
                    Changes changes, Output output) {
  const RunLayout layout(folder);
  if (std::filesystem::exists(layout.results()) && read_results(folder).status == "finished") {
    return finish_again(experiment, layout, output);
  }
  RunInProgress run(experiment);
  run.resume(folder, changes);
  return run.go(output);
}

}  // namespace retort::host
