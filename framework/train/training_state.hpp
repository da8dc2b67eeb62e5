#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "framework/train/evaluate.hpp"

namespace retort::host {

/// How well one learner has done so far, on the test split.
struct Standing {
  Accuracy last;           // of the last finished epoch
  double best = -1;        // top-1 that the best epoch is chosen by
  int64_t best_epoch = 0;  // 1-based; 0: none yet
  Accuracy best_test;      // of that epoch, on the test split
};

/// Where a training run stands between two steps. With the loop's tensors it is all that a
/// resumed run needs to go on as if it had never stopped: views, order, draws and schedules are
/// functions of it.
struct TrainingState {
  int64_t step = 0;           // batches done, over all epochs
  int64_t epoch = 0;          // 0-based; the one to go on with
  int64_t step_in_epoch = 0;  // batches of that epoch that are done

  // The means of the epoch so far.
  std::vector<std::string> terms;
  std::vector<double> loss_sums;
  int64_t loss_count = 0;
  std::vector<std::pair<std::string, int64_t>> metric_counts;  // what strategies logged

  std::vector<Standing> standings = {Standing()};  // by learner
  double train_seconds = 0;

  int64_t skipped = 0;       // optimizer steps left out since they were not finite
  int64_t bad_in_a_row = 0;  // of these, the last ones without a good step between them
  int64_t rollbacks = 0;     // returns to an epoch's start since a step was not finite
  double lr_factor = 1;      // halved by each rollback
  bool stopped_early = false;
};

}  // namespace retort::host
