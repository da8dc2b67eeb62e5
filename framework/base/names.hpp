#pragma once

#include <array>
#include <string_view>

/// What the host calls its own numbers, tensors and phases in metrics.jsonl, summary.csv, event files,
/// saved states and draws: a transfer of such a name would be taken for them.
namespace retort::host::names {

// Networks, phases, and rows of a run's table.
inline constexpr std::string_view kTeacher = "teacher";
inline constexpr std::string_view kStudent = "student";
inline constexpr std::string_view kAlone = "alone";
inline constexpr std::string_view kDistil = "distil";
inline constexpr std::string_view kStudentAlone = "student alone";

// metrics.jsonl, event files, the progress line.
inline constexpr std::string_view kPhase = "phase";
inline constexpr std::string_view kEpoch = "epoch";
inline constexpr std::string_view kLearningRate = "lr";
inline constexpr std::string_view kLosses = "losses";
inline constexpr std::string_view kLoss = "loss";
inline constexpr std::string_view kTask = "task";
inline constexpr std::string_view kMetrics = "metrics";
inline constexpr std::string_view kTestCorrect = "test_correct";
inline constexpr std::string_view kTestTotal = "test_total";
inline constexpr std::string_view kValidationCorrect = "validation_correct";
inline constexpr std::string_view kValidationTotal = "validation_total";

// run.json, summary.csv.
inline constexpr std::string_view kName = "name";
inline constexpr std::string_view kTop1 = "top1";
inline constexpr std::string_view kVersusAlone = "versus_alone";
inline constexpr std::string_view kTrainSeconds = "train_seconds";

// Beginnings of the tensors' names in a saved state.
inline constexpr std::string_view kNetwork = "network";
inline constexpr std::string_view kTransfer = "transfer";
inline constexpr std::string_view kOptimizer = "optimizer";
inline constexpr std::string_view kAverage = "average";
inline constexpr std::string_view kMetric = "metric";

// Whose draws they are.
inline constexpr std::string_view kData = "data";

/// Every name above: what no transfer may be called, and no network but by its own role.
inline constexpr std::array kAll = {kTeacher,
                                    kStudent,
                                    kAlone,
                                    kDistil,
                                    kStudentAlone,
                                    kPhase,
                                    kEpoch,
                                    kLearningRate,
                                    kLosses,
                                    kLoss,
                                    kTask,
                                    kMetrics,
                                    kTestCorrect,
                                    kTestTotal,
                                    kValidationCorrect,
                                    kValidationTotal,
                                    kName,
                                    kTop1,
                                    kVersusAlone,
                                    kTrainSeconds,
                                    kNetwork,
                                    kTransfer,
                                    kOptimizer,
                                    kAverage,
                                    kMetric,
                                    kData};

}  // namespace retort::host::names
