#include "framework/run/resume_point.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "framework/report/log.hpp"
#include "framework/run/result_files.hpp"

namespace retort::host {
namespace {

/// A folder without a state: that of a run which was stopped before its first, or finished.
void check_is_not_finished(const Experiment& experiment, const RunLayout& layout) {
  for (const ResultFile& result : list_result_files(experiment, layout)) {
    if (!std::filesystem::exists(result.file)) continue;
    throw DataError(fmt::format(
        "{}: holds a {} and no saved state, as a finished run does, but its {} does not say so; "
        "restore {}, or run the experiment again",
        layout.folder().string(), result.file.filename().string(), RunLayout::kResults,
        RunLayout::kResults));
  }
}

void check_changes(const std::string& folder, const MachineFacts& was, const MachineFacts& is,
                   Changes changes) {
  if (!hold_experiment(was)) {
    spdlog::warn(
        "{}: its saved state, of an older version, does not hold the experiment's keys: whether {} "
        "was "
        "edited since is not known",
        folder, RunLayout::kExperiment);
  }
  const std::string before = list_phases(was), now = list_phases(is);
  if (hold_experiment(was) && before != now) {
    throw ConfigError(folder + ": its phases were " + before + " and are " + now +
                      "; what they trained cannot be taken for another list: restore " +
                      RunLayout::kExperiment + ", or run the experiment anew");
  }
  const std::string text = changes_between(was, is);
  if (text.empty()) return;
  if (changes == Changes::Refuse) {
    throw ConfigError(folder + ": the run would not end with the same bytes: " + text +
                      "; make it as it was, or accept that with --accept-changes");
  }
  spdlog::warn("accepted: {}", text);
}

}  // namespace

bool ResumePoint::is_behind(size_t position) const {
  if (!found_) return false;
  return position < position_ || (position == position_ && found_->checkpoint.complete);
}

bool ResumePoint::is_within(size_t position) const {
  return found_ && position == position_ && !found_->checkpoint.complete;
}

std::vector<ComparisonRow> ResumePoint::rows() const {
  return found_ ? found_->checkpoint.rows : std::vector<ComparisonRow>();
}

void ResumePoint::restore(size_t position, Loop& loop) {
  if (!found_ || position != position_) return;
  const Checkpoint& checkpoint = found_->checkpoint;
  loop.restore(checkpoint.state, found_->tensors, checkpoint.rollback);
  found_->tensors.clear();
}

ResumePoint find_resume_point(const Experiment& experiment, RunFolder& folder, RunStates& states,
                              const std::vector<PhaseSpec>& phases, Changes changes) {
  const std::string path = folder.path().string();
  std::optional<CheckpointStore::Found> found = states.find_newest();
  if (!found) {
    check_is_not_finished(experiment, folder.layout());
    say(path + ": no state was saved yet; starts at the beginning");
    folder.truncate_metrics(0);
    return {};
  }
  const Checkpoint& checkpoint = found->checkpoint;
  check_changes(path, checkpoint.facts, states.machine(), changes);
  const size_t position = find_phase(phases, checkpoint.phase, found->file.string());
  states.check_files();
  folder.truncate_metrics(checkpoint.metrics_bytes);
  say(fmt::format("resumes   {} at {} epoch {}, step {}", path, checkpoint.phase,
                  checkpoint.state.epoch + 1, checkpoint.state.step));
  return {position, std::move(*found)};
}

}  // namespace retort::host
