#include "framework/train/exported_network.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/config/diagnostics.hpp"
#include "framework/exported/start_values.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host {
namespace {

[[noreturn]] void refuse(const Place& place, const std::string& subject, const std::string& what) {
  const std::string at = place_text(place);
  throw MistakesError(at + (at.empty() ? "" : "  ") + subject + "  " + what,
                      {{place, subject, what, ""}});
}

/// The number behind "output#".
std::optional<size_t> read_output(const std::string& text) {
  constexpr std::string_view kPrefix = "output#";
  size_t number = 0;
  if (!text.starts_with(kPrefix)) return std::nullopt;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + kPrefix.size(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

bool can_be_logits(const exported::TensorForm& form, int64_t classes) {
  return form.sizes.size() == 2 && (form.sizes[1] == classes || form.sizes[1] < 0);
}

}  // namespace

ExportedNetwork::ExportedNetwork(std::string role, const NetworkConfig& config,
                                 const InputShape& input, const Placement& placement, uint64_t seed)
    : Network(std::move(role), config, input, placement, seed), config_(config.program) {
  program_ = std::make_unique<exported::Program>(config_.file, parameters());
  check_input();
  choose_logits(config_);
  if (config_.start == ProgramStart::New) {
    try {
      exported::draw_start_values(parameters(), program_->module_classes(), seed);
    } catch (const DataError& failure) {
      refuse(config_.start_place, this->role() + ".start \"new\"", failure.what());
    }
  }
  if (!program_->warning().empty()) spdlog::warn("{}: {}", this->role(), program_->warning());
  apply_memory_format();
}

/// That the file's one input takes the data's images.
void ExportedNetwork::check_input() {
  const std::string subject = role() + ".file " + config::quote_text(config_.file.string());
  const auto& inputs = program_->inputs();
  if (inputs.size() != 1) {
    std::vector<std::string> names;
    for (const auto& [name, form] : inputs)
      names.push_back(safe_line(name) + " " + exported::describe_form(form));
    refuse(config_.file_place, subject,
           "takes " + std::to_string(inputs.size()) + " inputs (" + join(names) +
               "); the data give one, the image: export it with that alone");
  }
  const exported::TensorForm& form = inputs.front().second;
  const std::vector<int64_t> wanted = {-1, input().channels, input().height, input().width};
  bool fits = form.sizes.size() == wanted.size();
  for (size_t i = 1; fits && i < wanted.size(); ++i)
    fits = form.sizes[i] < 0 || form.sizes[i] == wanted[i];
  if (!fits) {
    refuse(config_.file_place, subject,
           "was exported for images " + exported::describe_form(form) + "; the data have [N, " +
               std::to_string(input().channels) + ", " + std::to_string(input().height) + ", " +
               std::to_string(input().width) +
               "]: export it with an example of that size, or give it a view of its size "
               "([data.views.NAME] size)");
  }
  if (form.sizes[0] >= 0) {
    refuse(config_.file_place, subject,
           "was exported for batches of " + std::to_string(form.sizes[0]) +
               " alone; export it with retort_export.save, or with a dynamic batch: "
               "dynamic_shapes={0: torch.export.Dim(\"batch\", min=1, max=65536)}");
  }
}

/// The output of [N, C], or the one that the file names.
void ExportedNetwork::choose_logits(const ProgramConfig& config) {
  const auto& outputs = program_->outputs();
  const int64_t classes = input().class_count;
  std::vector<std::string> forms;
  std::vector<size_t> fitting;
  for (size_t i = 0; i < outputs.size(); ++i) {
    forms.push_back("output#" + std::to_string(i) + " " + exported::describe_form(outputs[i]));
    if (can_be_logits(outputs[i], classes)) fitting.push_back(i);
  }
  const std::string wanted = "[N, " + std::to_string(classes) + "], a number for each class";
  if (!config.logits.empty()) {
    const std::string subject = role() + ".logits " + config::quote_text(config.logits);
    const std::optional<size_t> number = read_output(config.logits);
    if (!number || *number >= outputs.size())
      refuse(config.logits_place, subject, "is none of its outputs: " + join(forms));
    if (!can_be_logits(outputs[*number], classes))
      refuse(config.logits_place, subject,
             "is " + exported::describe_form(outputs[*number]) + "; the data want " + wanted);
    logits_ = *number;
  } else if (fitting.size() == 1) {
    logits_ = fitting.front();
  } else {
    const std::string subject = role() + ".file " + config::quote_text(config.file.string());
    refuse(config.file_place, subject,
           fitting.empty()
               ? "gives " + join(forms) + "; the data want " + wanted +
                     ": give it a last layer of so many outputs, and export it again"
               : "gives several outputs that can be the logits, " + join(forms) +
                     "; name one: logits = \"output#" + std::to_string(fitting.front()) + "\"");
  }
  program_->choose_logits(logits_);
}

exported::NamedDraws ExportedNetwork::make_draws(PassMode mode) const {
  std::string owner = role() + "/draws";
  if (mode == PassMode::Evaluate) owner += "/evaluation";
  if (!view().empty()) owner += "/" + view();
  return {seed(), owner, std::max<int64_t>(step(), 0), nullptr};
}

Outputs ExportedNetwork::run(const at::Tensor& x, Taps& taps, PassMode mode, Recorder* recorder) {
  exported::PassSettings settings;
  settings.mode = mode == PassMode::Train ? exported::Mode::Train : exported::Mode::Evaluate;
  settings.bf16 = placement().bf16;
  const exported::NamedDraws draws = make_draws(mode);
  settings.draws = &draws;
  settings.multiply_adds = recorder == nullptr ? nullptr : &recorder->multiply_adds;
  for (const std::string& tap : program_->taps())
    if (taps.wants(tap) && !is_host_tap(tap)) settings.taps.push_back(tap);
  exported::PassResult result = program_->run({x}, settings);
  for (size_t i = 0; i < settings.taps.size(); ++i) {
    const at::Tensor& value = result.taps[i];
    // What is no number for each sample can be no feature: counts, masks, windows of several samples.
    const bool is_feature = value.defined() && value.is_floating_point() && value.dim() >= 2 &&
                            value.size(0) == x.size(0);
    if (is_feature) taps.publish(settings.taps[i].c_str(), value);
  }
  Outputs outputs;
  if (result.outputs.at(logits_).isTensor())
    outputs.logits = as_float(result.outputs[logits_].toTensor());
  return outputs;
}

std::vector<std::string> ExportedNetwork::stages() {
  // By height: the last of each, from the largest on. A map has the image's proportions.
  std::vector<std::pair<int64_t, std::string>> maps;
  for (const auto& [name, shape] : profile().taps) {
    if (shape.size() != 4 || shape[2] < 2 || name.ends_with(".preact")) continue;
    if (shape[2] * input().width != shape[3] * input().height) continue;
    const auto same = std::find_if(maps.begin(), maps.end(),
                                   [&](const auto& map) { return map.first == shape[2]; });
    if (same == maps.end()) {
      maps.emplace_back(shape[2], name);
    } else {
      same->second = name;
    }
  }
  std::stable_sort(maps.begin(), maps.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> found;
  for (const auto& [size, name] : maps) found.push_back(name);
  return found;
}

std::string ExportedNetwork::description() const {
  return "exported " + config_.file.filename().string();
}

}  // namespace retort::host
