#include "framework/run/checkpoint.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/base/error.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/io/file_bytes.hpp"
#include "framework/io/hash.hpp"
#include "framework/io/json_text.hpp"

namespace retort::host {
namespace {

using nlohmann::ordered_json;

constexpr size_t kKept = 2;
constexpr size_t kHashDigits = 32;

ordered_json json_of(const Accuracy& accuracy) { return {accuracy.correct, accuracy.total}; }

Accuracy accuracy_of(const ordered_json& json) {
  return {json.at(0).get<int64_t>(), json.at(1).get<int64_t>()};
}

void add_standing(ordered_json& json, const Standing& standing) {
  json["last"] = json_of(standing.last);
  json["best"] = standing.best;
  json["best_epoch"] = standing.best_epoch;
  json["best_test"] = json_of(standing.best_test);
}

Standing standing_of(const ordered_json& json) {
  return {accuracy_of(json.at("last")), json.at("best").get<double>(),
          json.at("best_epoch").get<int64_t>(), accuracy_of(json.at("best_test"))};
}

ordered_json json_of(const TrainingState& state) {
  ordered_json json = {{"step", state.step},
                       {"epoch", state.epoch},
                       {"step_in_epoch", state.step_in_epoch},
                       {"terms", state.terms},
                       {"loss_sums", state.loss_sums},
                       {"loss_count", state.loss_count},
                       {"metric_counts", state.metric_counts},
                       {"train_seconds", state.train_seconds},
                       {"skipped", state.skipped},
                       {"bad_in_a_row", state.bad_in_a_row},
                       {"rollbacks", state.rollbacks},
                       {"lr_factor", state.lr_factor},
                       {"stopped_early", state.stopped_early}};
  // Of the first learner as versions before 0.3 did, which knew one.
  add_standing(json, state.standings.front());
  for (size_t i = 1; i < state.standings.size(); ++i)
    add_standing(json["others"].emplace_back(), state.standings[i]);
  return json;
}

TrainingState state_of(const ordered_json& json) {
  TrainingState state;
  json.at("step").get_to(state.step);
  json.at("epoch").get_to(state.epoch);
  json.at("step_in_epoch").get_to(state.step_in_epoch);
  json.at("terms").get_to(state.terms);
  json.at("loss_sums").get_to(state.loss_sums);
  json.at("loss_count").get_to(state.loss_count);
  json.at("metric_counts").get_to(state.metric_counts);
  state.standings = {standing_of(json)};
  if (json.contains("others"))
    for (const auto& other : json["others"]) state.standings.push_back(standing_of(other));
  json.at("train_seconds").get_to(state.train_seconds);
  json.at("skipped").get_to(state.skipped);
  state.bad_in_a_row = json.value("bad_in_a_row", int64_t{0});  // older versions did not save it
  json.at("rollbacks").get_to(state.rollbacks);
  json.at("lr_factor").get_to(state.lr_factor);
  json.at("stopped_early").get_to(state.stopped_early);
  return state;
}

ordered_json json_of(const ComparisonRow& row) {
  ordered_json json = {{"name", row.name},
                       {"accuracy", json_of(row.accuracy)},
                       {"alone", row.alone},
                       {"teacher", row.teacher}};
  if (row.best) {
    json["best"] = json_of(*row.best);
    json["best_epoch"] = row.best_epoch;
  }
  if (row.size) {
    json["parameters"] = row.size->parameters;
    json["multiply_adds"] = row.size->multiply_adds;
  }
  if (row.versus_alone) json["versus_alone"] = *row.versus_alone;
  if (row.train_seconds) json["train_seconds"] = *row.train_seconds;
  return json;
}

ComparisonRow row_of(const ordered_json& json) {
  ComparisonRow row = make_row(json.at("name").get<std::string>());
  row.accuracy = accuracy_of(json.at("accuracy"));
  if (json.contains("alone")) json["alone"].get_to(row.alone);
  if (json.contains("teacher")) json["teacher"].get_to(row.teacher);
  if (json.contains("best")) {
    row.best = accuracy_of(json["best"]);
    row.best_epoch = json.at("best_epoch").get<int64_t>();
  }
  if (json.contains("parameters")) {
    row.size = {json["parameters"].get<int64_t>(), json.at("multiply_adds").get<int64_t>()};
  }
  if (json.contains("versus_alone")) row.versus_alone = json["versus_alone"].get<double>();
  if (json.contains("train_seconds")) row.train_seconds = json["train_seconds"].get<double>();
  return row;
}

/// The file may be somebody else's: its hash says that it is whole, not that it makes sense.
void check_state(const TrainingState& state, const std::filesystem::path& file) {
  const bool ranked = std::all_of(state.standings.begin(), state.standings.end(),
                                  [](const Standing& its) { return its.best_epoch >= 0; });
  const bool counts = state.step >= 0 && state.epoch >= 0 && state.step_in_epoch >= 0 &&
                      state.loss_count >= 0 && ranked;
  if (!counts || state.terms.size() != state.loss_sums.size()) {
    throw DataError(file.string() + ": damaged: a count below 0, or " +
                    std::to_string(state.loss_sums.size()) + " sums for " +
                    std::to_string(state.terms.size()) + " terms of the loss");
  }
}

std::string hash_of(std::string_view text) {
  return xxh3_128_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

std::string_view text_of(const FileBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size()};
}

}  // namespace

CheckpointStore::CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::filesystem::path CheckpointStore::file(int64_t number, const char* ending) const {
  return folder_ / fmt::format("{:06}{}", number, ending);
}

std::vector<int64_t> CheckpointStore::numbers() const {
  std::vector<int64_t> found;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, none)) {
    const std::string stem = entry.path().stem().string();
    const bool number = !stem.empty() && stem.size() < 18 &&
                        stem.find_first_not_of("0123456789") == std::string::npos;
    if (number && entry.path().extension() == ".json") found.push_back(std::stoll(stem));
  }
  std::sort(found.begin(), found.end());
  return found;
}

void CheckpointStore::save(const Checkpoint& checkpoint, const std::vector<NamedTensor>& tensors) {
  make_folders(folder_);
  std::vector<int64_t> before = numbers();
  const int64_t number = before.empty() ? 1 : before.back() + 1;
  const std::filesystem::path data = file(number, ".safetensors");
  save_tensors(data, tensors, {{"phase", checkpoint.phase}});
  // Read back: what counts is what lies on the disk.
  const FileBytes written = map_file(data, SIZE_MAX);
  ordered_json json;
  json["phase"] = checkpoint.phase;
  json["complete"] = checkpoint.complete;
  json["state"] = json_of(checkpoint.state);
  if (checkpoint.rollback) json["rollback"] = json_of(*checkpoint.rollback);
  json["rows"] = ordered_json::array();
  for (const ComparisonRow& row : checkpoint.rows) json["rows"].push_back(json_of(row));
  json["metrics_bytes"] = checkpoint.metrics_bytes;
  json["facts"] = checkpoint.facts;
  json["files"] = checkpoint.files;
  json["tensors_bytes"] = written.bytes().size();
  json["tensors_xxh3"] = xxh3_128_hex(written.bytes());
  const std::string text = json_text(json, 1) + "\n";
  atomic_write(file(number, ".json"), text + hash_of(text) + "\n");

  std::error_code left;
  while (before.size() >= kKept) {
    // The manifest first: a state without one does not exist.
    std::filesystem::remove(file(before.front(), ".json"), left);
    std::filesystem::remove(file(before.front(), ".safetensors"), left);
    before.erase(before.begin());
  }
}

CheckpointStore::Found CheckpointStore::load(int64_t number) const {
  Found found;
  const std::filesystem::path manifest = file(number, ".json");
  const FileBytes bytes = map_file(manifest, SIZE_MAX);
  const std::string_view text = text_of(bytes);
  if (text.size() < kHashDigits + 2 ||
      text.substr(text.size() - kHashDigits - 1) !=
          hash_of(text.substr(0, text.size() - kHashDigits - 1)) + "\n") {
    throw DataError(manifest.string() + ": damaged: its hash is not the one it ends with");
  }
  const auto json = ordered_json::parse(text.substr(0, text.size() - kHashDigits - 1));
  found.file = file(number, ".safetensors");
  const FileBytes tensors = map_file(found.file, SIZE_MAX);
  if (tensors.bytes().size() != json.at("tensors_bytes").get<uint64_t>() ||
      xxh3_128_hex(tensors.bytes()) != json.at("tensors_xxh3").get<std::string>()) {
    throw DataError(found.file.string() + ": damaged: size or hash is not what " +
                    manifest.filename().string() + " says");
  }
  found.tensors = load_tensors(found.file);
  Checkpoint& checkpoint = found.checkpoint;
  json.at("phase").get_to(checkpoint.phase);
  json.at("complete").get_to(checkpoint.complete);
  checkpoint.state = state_of(json.at("state"));
  if (json.contains("rollback")) checkpoint.rollback = state_of(json["rollback"]);
  for (const auto& row : json.at("rows")) checkpoint.rows.push_back(row_of(row));
  json.at("metrics_bytes").get_to(checkpoint.metrics_bytes);
  json.at("facts").get_to(checkpoint.facts);
  json.at("files").get_to(checkpoint.files);
  check_state(checkpoint.state, manifest);
  return found;
}

std::optional<CheckpointStore::Found> CheckpointStore::newest() {
  const std::vector<int64_t> all = numbers();
  for (auto number = all.rbegin(); number != all.rend(); ++number) {
    try {
      return load(*number);
    } catch (const DataError& damage) {
      spdlog::warn("{}; the one before it is tried", damage.what());
    } catch (const nlohmann::json::exception& damage) {  // whole, but no state of ours
      spdlog::warn("{}: damaged: {}; the one before it is tried", file(*number, ".json").string(),
                   damage.what());
    }
  }
  if (all.empty()) return std::nullopt;
  throw DataError(folder_.string() + ": none of its " + std::to_string(all.size()) +
                  " states is whole; train anew without --resume");
}

void CheckpointStore::clear() {
  std::error_code left;
  std::filesystem::remove_all(folder_, left);
}

}  // namespace retort::host
