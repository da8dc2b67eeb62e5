#include "framework/run/teacher_store.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <map>
#include <stdexcept>

#include "framework/base/error.hpp"
#include "framework/config/component.hpp"
#include "framework/config/resolved.hpp"
#include "framework/io/atomic_file.hpp"
#include "framework/io/hash.hpp"
#include "framework/report/plugin_hash.hpp"
#include "framework/report/run_layout.hpp"
#include "framework/run/identity.hpp"
#include "framework/train/device.hpp"
#include "framework/train/finite.hpp"
#include "framework/train/step_view.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

constexpr const char* kContent = "content";  // a hash of the weights

/// The declared views that a view is made of: itself and the one it is like; none for the default one.
std::vector<ViewConfig> find_views_behind(const DataConfig& data, const std::string& name) {
  std::vector<ViewConfig> behind;
  for (const ViewConfig* view = data.find_view(name); view != nullptr;
       view = data.find_view(view->like)) {
    behind.push_back(*view);
  }
  return behind;
}

/// The part of the experiment that shapes the teacher, as text.
std::string recipe_text(const Experiment& experiment, const NetworkConfig& teacher) {
  Experiment shaping;
  shaping.seed = experiment.seed;
  shaping.data = experiment.data;
  // What the data set gave is hashed; where it lies and how it was asked for is not the teacher's.
  ComponentChoice& dataset = shaping.data.dataset;
  for (size_t i = 0; i < dataset.options.size(); ++i) {
    dataset.options[i] = config::make_default(dataset.info.options[i]);
  }
  NetworkConfig& network = shaping.students.emplace_back(teacher);
  // Start values depend on the name; the usual one is no part of the key, and never was.
  if (network.name == kTeacherName) network.name = kStudentName;
  if (!network.program.file.empty()) network.program.file = "hashed";
  network.mode = TeacherMode::Evaluate;  // how it teaches is not how it was trained
  network.views.resize(1);               // it is trained on its first view
  shaping.data.views = find_views_behind(experiment.data, network.views.front());
  shaping.train = teacher.train;
  // Without transfers dot steps as sgd does: one teacher serves both.
  OptimizerConfig::Kind& optimizer = shaping.train.optimizer.kind;
  if (optimizer == OptimizerConfig::Kind::Dot) optimizer = OptimizerConfig::Kind::Sgd;
  shaping.run.precision = experiment.run.precision;
  shaping.run.channels_last = experiment.run.channels_last;
  return write_identity(
      make_identity(read_settings(to_toml(shaping)), make_default_settings(shaping)));
}

/// What the data set says of its images beside their content.
std::string facts_text(const ImageData& data) {
  std::string text = std::to_string(data.class_count);
  for (const auto* numbers : {&data.normalize.mean, &data.normalize.stddev}) {
    for (const double number : *numbers) text += fmt::format(" {:.17g}", number);
  }
  return text;
}

/// Of names and values, in the order of the names; `hashes` are those of the values.
std::string hash_of(const std::map<std::string, std::string>& hashes) {
  std::string text;
  for (const auto& [name, hash] : hashes) text += name + " " + hash + "\n";
  return xxh3_128_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

std::string hash_of_weights(const ParameterSet& parameters) {
  std::map<std::string, std::string> hashes;
  for (const auto& [name, tensor] : named_weights(parameters)) {
    const at::Tensor values = tensor.detach().to(at::kCPU).contiguous();
    hashes[name] =
        xxh3_128_hex({static_cast<const uint8_t*>(values.const_data_ptr()), values.nbytes()});
  }
  return hash_of(hashes);
}

std::string hash_of_weights(const SafetensorsFile& file) {
  std::map<std::string, std::string> hashes;
  for (const SafeTensorView& tensor : file.tensors())
    hashes[tensor.name] = xxh3_128_hex({tensor.data, tensor.bytes});
  return hash_of(hashes);
}

/// Throws: DataError where the weights are not those that were written. A file of an older version does
/// not say which those are.
void check_content(const SafetensorsFile& kept, const std::filesystem::path& file) {
  const auto written = kept.metadata().find(kContent);
  if (written == kept.metadata().end() || written->second == hash_of_weights(kept)) return;
  throw DataError(file.string() + ": its weights are not those that were written: it is damaged");
}

std::string key_of(const Session& session, const NetworkConfig& teacher) {
  const Experiment& experiment = session.experiment();
  const std::string text =
      hash_of_plugin(teacher.model.info) + hash_of_plugin(experiment.data.dataset.info) +
      content_hash(session.data()) + facts_text(session.data()) + recipe_text(experiment, teacher);
  return sha256_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()}).substr(0, 16);
}

}  // namespace

TeacherStore::TeacherStore(const Session& session, const NetworkConfig& teacher)
    : key_(key_of(session, teacher)) {
  file_ = kept_teacher(session.experiment().run.out, key_);
}

std::optional<Accuracy> TeacherStore::load(Network& teacher) const {
  if (!std::filesystem::exists(file_)) return std::nullopt;
  try {
    const SafetensorsFile kept = SafetensorsFile::open(file_);
    // Read first: a teacher that is trained again starts at its start values.
    const Accuracy accuracy = {std::stoll(kept.metadata().at("test_correct")),
                               std::stoll(kept.metadata().at("test_total"))};
    check_content(kept, file_);
    load_weights(teacher.parameters(), file_, {});
    return accuracy;
  } catch (const DataError& damage) {
    spdlog::warn("the kept teacher cannot be used and is trained again: {}", damage.what());
  } catch (const std::logic_error&) {  // of what looks its accuracy up and reads it
    spdlog::warn("{}: the kept teacher does not say how accurate it is, and is trained again",
                 file_.string());
  }
  return std::nullopt;
}

void TeacherStore::save(const Network& teacher, const Accuracy& accuracy) const {
  make_folders(file_.parent_path());
  SafeMetadata metadata;
  metadata["format"] = "pt";
  metadata["key"] = key_;
  metadata[kContent] = hash_of_weights(teacher.parameters());
  metadata["model"] = teacher.description();
  metadata["test_correct"] = std::to_string(accuracy.correct);
  metadata["test_total"] = std::to_string(accuracy.total);
  metadata["libtorch"] = RETORT_TORCH_VERSION;
  metadata["device"] = teacher.placement().device.str();
  save_network(file_, teacher.parameters(), metadata);
}

}  // namespace retort::host
