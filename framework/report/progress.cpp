#include "framework/report/progress.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "framework/io/safe_text.hpp"
#include "framework/report/log.hpp"

namespace retort::host {
namespace {

constexpr double kSecondsBetween = 0.2, kSecondsBetweenLines = 5;
constexpr int64_t kBarWidth = 20;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Asked for each time: the window may have changed. One column stays free, or the cursor wraps.
size_t terminal_width() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return 79;
  return static_cast<size_t>(size.ws_col) - 1;
}

std::string losses_text(const std::vector<std::pair<std::string, double>>& losses) {
  std::string text;
  for (const auto& [name, value] : losses) {
    if (name != "loss" || losses.size() <= 2) text += fmt::format("  {} {:.4g}", name, value);
    if (losses.size() <= 2) break;  // a single term is the loss
  }
  return text;
}

std::string top1_text(const std::vector<LearnerReport>& learners) {
  std::string text;
  for (const LearnerReport& learner : learners) {
    const std::string name = learners.size() > 1 ? learner.name + " " : "";
    text += fmt::format("{}{}{:.2f} %", text.empty() ? "" : ", ", name, learner.accuracy.top1());
  }
  return text;
}

}  // namespace

std::string progress_text(const Progress& progress, size_t width) {
  const int64_t filled = kBarWidth * progress.step / progress.steps;
  const auto left = static_cast<int64_t>(progress.seconds_left);
  const std::string start =
      fmt::format("{:8}  epoch {}/{}", progress.phase, progress.epoch + 1, progress.epochs);
  const std::string bar = fmt::format("  [{}{}]", std::string(static_cast<size_t>(filled), '#'),
                                      std::string(static_cast<size_t>(kBarWidth - filled), '-'));
  const std::string share = fmt::format(" {:3} %", 100 * progress.step / progress.steps);
  const std::string end = fmt::format("  {:.0f} img/s  eta {}:{:02}{}", progress.images_per_second,
                                      left / 60, left % 60, losses_text(progress.losses));
  std::string text = safe_line(start + bar + share + end);
  if (text.size() > width) text = safe_line(start + " " + share + end);
  return width == 0 ? text : std::string(cut_text(text, width));
}

std::string epoch_text(const std::string& phase, int64_t epochs, const EpochReport& report) {
  return fmt::format("{:8}  epoch {}/{}  top-1 {}{}  lr {:.4g}  {:.1f} s", phase, report.epoch,
                     epochs, top1_text(report.learners), losses_text(report.losses), report.lr,
                     report.train_seconds);
}

ProgressLine::ProgressLine()
    : terminal_(isatty(STDERR_FILENO) != 0 && !logs_json()), last_shown_(now()) {}

void ProgressLine::step(const Progress& progress) {
  if (!spdlog::should_log(spdlog::level::info)) return;
  const double time = now();
  const bool last = progress.step == progress.steps;
  if (time - last_shown_ < (terminal_ ? kSecondsBetween : kSecondsBetweenLines)) {
    if (!terminal_ || !last) return;
  }
  last_shown_ = time;
  if (terminal_) {
    std::fprintf(stderr, "\r%s\x1b[K", progress_text(progress, terminal_width()).c_str());
  } else {
    say(progress_text(progress, 0));
  }
  std::fflush(stderr);
  shown_ = terminal_;
}

void ProgressLine::epoch(const std::string& phase, int64_t epochs, const EpochReport& report) {
  if (!spdlog::should_log(spdlog::level::info)) return;
  if (shown_) std::fprintf(stderr, "\r\x1b[K");
  shown_ = false;
  say(epoch_text(phase, epochs, report));
}

}  // namespace retort::host
