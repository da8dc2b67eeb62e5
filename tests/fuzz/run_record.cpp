#include "framework/report/run_record.hpp"

#include "framework/base/error.hpp"
#include "framework/report/class_tables.hpp"
#include "tests/fuzz/targets.hpp"

namespace retort::fuzz {

bool run_record(Bytes input) {
  if (input.empty()) return false;
  const std::string_view text(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  try {
    if (input[0] == 'm') {
      host::parse_metrics(text, "metrics.jsonl");
      return true;
    }
    const host::RunResults run = host::parse_results(text, "run.json");
    host::class_accuracy_table(run);
    host::confusion_tables(run);
    return true;
  } catch (const host::DataError&) {
    return false;
  }
}

}  // namespace retort::fuzz
