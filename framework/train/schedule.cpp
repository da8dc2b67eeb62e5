#include "framework/train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retort::host {

double learning_rate(const TrainConfig& train, int64_t step, int64_t steps_per_epoch) {
  const ScheduleConfig& schedule = train.schedule;
  const double rate = train.optimizer.lr;
  const double at = static_cast<double>(step);
  const double warmup = schedule.warmup_epochs * static_cast<double>(steps_per_epoch);
  if (at < warmup) return rate * (at + 1) / (warmup + 1);

  const int64_t epoch = step / steps_per_epoch;
  switch (schedule.kind) {
    case ScheduleConfig::Kind::Constant:
      return rate;
    case ScheduleConfig::Kind::Step:
      return rate * std::pow(schedule.gamma, static_cast<double>(epoch / schedule.step_epochs));
    case ScheduleConfig::Kind::Multistep: {
      const auto drops = std::count_if(schedule.milestones.begin(), schedule.milestones.end(),
                                       [&](int64_t milestone) { return epoch >= milestone; });
      return rate * std::pow(schedule.gamma, static_cast<double>(drops));
    }
    case ScheduleConfig::Kind::Cosine: {
      const double total = static_cast<double>(train.epochs * steps_per_epoch) - warmup;
      const double part = total > 0 ? (at - warmup) / total : 1;
      return schedule.min_lr +
             (rate - schedule.min_lr) * 0.5 * (1 + std::cos(std::numbers::pi * part));
    }
  }
  return rate;
}

}  // namespace retort::host
