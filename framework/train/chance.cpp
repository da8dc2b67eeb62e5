#include "framework/train/chance.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace retort::host {
namespace {

constexpr double kDealtLevel = 2.326;      // of a normal number, above which 1 % lie
constexpr double kReorderedLevel = 1.645;  // 5 %
constexpr double kLowAccuracy = 2.5;       // times 1 / classes
constexpr int64_t kFewestClasses = 4;  // whose orders can be told apart at that level: 1 / 4! < 5 %

/// How often each class is predicted, is the label, and each pair of the two; pairs that never occur
/// are left out.
struct Table {
  std::vector<double> predicted, labelled, pairs;
  double samples = 0, correct = 0;
};

Table count_table(const Evaluation& evaluation, const int64_t* labels) {
  Table table;
  table.predicted.resize(static_cast<size_t>(evaluation.class_count));
  table.labelled.resize(static_cast<size_t>(evaluation.class_count));
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (size_t i = 0; i < evaluation.predictions.size(); ++i) {
    pairs.emplace_back(static_cast<int64_t>(evaluation.predictions[i]), labels[i]);
    ++table.predicted[static_cast<size_t>(pairs.back().first)];
    ++table.labelled[static_cast<size_t>(labels[i])];
  }
  std::sort(pairs.begin(), pairs.end());
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || pairs[i] != pairs[i - 1]) table.pairs.push_back(0);
    ++table.pairs.back();
  }
  table.samples = static_cast<double>(pairs.size());
  table.correct = static_cast<double>(evaluation.top1_correct);
  return table;
}

double sum_of_squares(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum;
}

/// How many standard deviations `value` lies above `mean`; 0 for a variance of 0.
double standardised(double value, double mean, double variance) {
  return variance > 0 ? (value - mean) / std::sqrt(variance) : 0;
}

/// Against the predictions dealt out at random.
double deviations_from_dealt(const Table& table) {
  const double n = table.samples;
  double same = 0, mixed = 0;
  for (size_t c = 0; c < table.labelled.size(); ++c) {
    const double p = table.predicted[c], l = table.labelled[c];
    same += p * l;
    mixed += p * l * (p + l);
  }
  // Var of sum_c O_cc, O with margins p and l:
  //   [sum_c p l (n - p)(n - l) + sum_{c != d} p_c l_c p_d l_d] / (n^2 (n - 1))
  const double variance = (n * n * same - n * mixed + same * same) / (n * n * (n - 1));
  return standardised(table.correct - 0.5, same / n, variance);
}

/// Against the network's outputs in a random order.
double deviations_from_reordered(const Table& table) {
  const auto classes = static_cast<double>(table.labelled.size());
  const double n = table.samples;
  const double centred =
      sum_of_squares(table.pairs) -
      (sum_of_squares(table.predicted) + sum_of_squares(table.labelled)) / classes +
      n * n / (classes * classes);
  return standardised(table.correct, n / classes, centred / (classes - 1));
}

}  // namespace

bool may_be_guessing(const Evaluation& evaluation, const at::Tensor& labels) {
  const Table table = count_table(evaluation, labels.const_data_ptr<int64_t>());
  const bool one_label =
      std::count(table.labelled.begin(), table.labelled.end(), table.samples) > 0;
  if (evaluation.class_count < 2 || one_label || table.correct == table.samples) return false;
  if (deviations_from_dealt(table) < kDealtLevel) return true;
  const auto classes = static_cast<double>(evaluation.class_count);
  const bool low = table.correct * classes <= kLowAccuracy * table.samples;
  return evaluation.class_count >= kFewestClasses && low &&
         deviations_from_reordered(table) < kReorderedLevel;
}

}  // namespace retort::host
