#include "framework/report/progress.hpp"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace retort::host {
namespace {

constexpr double kSecondsBetween = 0.2;
constexpr int64_t kBarWidth = 20;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string losses_text(const std::vector<std::pair<std::string, double>>& losses) {
  std::string text;
  for (const auto& [name, value] : losses) {
    if (name != "loss" || losses.size() <= 2) text += fmt::format("  {} {:.4g}", name, value);
    if (losses.size() <= 2) break;  // a single term is the loss
  }
  return text;
}

}  // namespace

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::step(const Progress& progress) {
  if (!terminal_) return;
  const double time = now();
  if (time - last_shown_ < kSecondsBetween && progress.step != progress.steps) return;
  last_shown_ = time;
  const int64_t filled = kBarWidth * progress.step / progress.steps;
  const auto left = static_cast<int64_t>(progress.seconds_left);
  const std::string line = fmt::format(
      "{:8}  epoch {}/{}  [{}{}] {:3} %  {:.0f} img/s{}  eta {}:{:02}", progress.phase,
      progress.epoch + 1, progress.epochs, std::string(static_cast<size_t>(filled), '#'),
      std::string(static_cast<size_t>(kBarWidth - filled), '-'),
      100 * progress.step / progress.steps, progress.images_per_second,
      losses_text(progress.losses), left / 60, left % 60);
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::epoch(const std::string& phase, int64_t epochs, const EpochReport& report) {
  if (shown_) std::fprintf(stderr, "\r\x1b[K");
  shown_ = false;
  std::fprintf(stderr, "%s\n",
               fmt::format("{:8}  epoch {}/{}  top-1 {:.2f} %{}  lr {:.4g}  {:.1f} s", phase,
                           report.epoch, epochs, report.accuracy.top1(), losses_text(report.losses),
                           report.lr, report.train_seconds)
                   .c_str());
}

}  // namespace retort::host
