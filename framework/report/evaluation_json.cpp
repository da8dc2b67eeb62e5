#include "framework/report/evaluation_json.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace retort::host {
namespace {

using Json = nlohmann::ordered_json;

Json confusion_json(const Evaluation& evaluation) {
  Json pairs = Json::array();
  for (const ConfusionEntry& entry : evaluation.confusion) {
    pairs.push_back(Json::array({entry.teacher, entry.student, entry.samples}));
  }
  return pairs;
}

}  // namespace

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json evaluation_json(const Evaluation& evaluation) {
  const auto percent = [&](int64_t correct) {
    return 100 * static_cast<double>(correct) /
           static_cast<double>(std::max<int64_t>(evaluation.samples, 1));
  };
  Json json = {{"samples", evaluation.samples},
               {"classes", evaluation.class_count},
               {"top1", percent(evaluation.top1_correct)},
               {"top5", percent(evaluation.top5_correct)},
               {"calibration_error", finite_or_null(evaluation.calibration_error)},
               {"cross_entropy", finite_or_null(evaluation.cross_entropy)},
               {"class_correct", evaluation.class_correct},
               {"class_total", evaluation.class_total}};
  if (evaluation.agreement) {
    json["teacher_agreement"] = *evaluation.agreement;
    json["confusion"] = confusion_json(evaluation);
  }
  return json;
}

}  // namespace retort::host
