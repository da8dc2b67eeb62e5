#include "framework/exported/program.hpp"

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <set>

#include "framework/base/error.hpp"
#include "framework/exported/json_reader.hpp"
#include "framework/exported/roles.hpp"
#include "framework/exported/tensors.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host::exported {
namespace {

constexpr const char* kModel = "models/model.json";
// Of sdk/python/retort_export.py.
constexpr const char* kEvaluation = "extra/retort_eval.json";
constexpr const char* kAbout = "extra/retort.json";

/// Whether a file says that it has no graph of training. One that says nothing tells by its operators.
bool says_evaluation_alone(const Archive& archive) {
  if (!archive.has(kAbout)) return false;
  const std::string where = archive.file().string() + ": " + kAbout;
  const nlohmann::json parsed = parse_export(archive.text(kAbout), where);
  const JsonReader modes = JsonReader(parsed, where).at("modes");
  for (size_t i = 0; i < modes.size(); ++i)
    if (modes.entry(i).text() == "train") return false;
  return true;
}

/// Autocast to bfloat16 for one pass.
class Autocast {
 public:
  Autocast(at::DeviceType device, bool on) : device_(device), on_(on) {
    if (!on_) return;
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (!on_) return;
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool on_;
};

}  // namespace

Program::Program(const std::filesystem::path& file, ParameterSet& parameters)
    : file_(file), parameters_(parameters) {
  const Archive archive = Archive::open(file);
  const ProgramText main = read_program(archive.text(kModel), file.string() + ": " + kModel);
  torch_version_ = main.torch_version;
  classes_ = find_module_classes(main);
  add_weights(archive, main);
  make_sides(archive, main);
  check_tensors(evaluate_);
  if (train_) check_tensors(*train_);
  describe_ends(main);
}

void Program::add_weights(const Archive& archive, const ProgramText& text) {
  std::vector<NamedValue> weights = read_weights(archive);
  std::map<std::string, NamedValue*> by_name;
  for (NamedValue& weight : weights)
    for (const std::string& name : weight.names) by_name[name] = &weight;
  const auto add = [&](const std::string& name) {
    const auto found = by_name.find(name);
    if (found == by_name.end() || weights_.count(name) != 0) return;
    const NamedValue& weight = *found->second;
    Parameter parameter;
    parameter.name = name;
    for (const std::string& other : weight.names) {
      weights_[other] = parameters_.all().size();
      if (other != name) parameter.tied.push_back(other);
    }
    parameter.role = find_role(name, weight.value.dim(), classes_);
    parameter.counted = weight.is_parameter;
    parameter.trained = weight.is_parameter && weight.requires_grad;
    parameter.master = weight.value;
    parameters_.add(std::move(parameter));
  };
  try {
    // In the graph's order, which is the modules'; then what the graph does not read.
    for (const InputSpec& input : text.inputs) add(input.target);
    for (const auto& [name, weight] : by_name) add(name);
  } catch (const PluginError& failure) {
    throw DataError(file_.string() + ": " + failure.what());
  }
  for (const NamedValue& constant : read_constants(archive))
    for (const std::string& name : constant.names)
      constants_[name] = constant.value.to(parameters_.device());
}

void Program::make_sides(const Archive& archive, const ProgramText& main) {
  const std::string where = file_.string() + ": " + kModel;
  const at::Device device = parameters_.device();
  Side as_exported = make_side(main, Evaluation::AsExported, device, where);
  const GraphModes modes = find_modes(as_exported);
  if (archive.has(kEvaluation)) {
    const std::string place = file_.string() + ": " + kEvaluation;
    evaluate_ = make_side(read_program(archive.text(kEvaluation), place), Evaluation::AsExported,
                          device, place);
    train_ = std::move(as_exported);
  } else if (modes.trains) {
    evaluate_ = make_side(main, Evaluation::Override, device, where);
    train_ = std::move(as_exported);
    if (modes.draws_rand) {
      warning_ = file_.string() +
                 " holds the graph of training alone, and draws with rand: evaluation would draw, "
                 "too; write it with retort_export.save, which adds the graph of evaluation";
    }
  } else {
    evaluate_ = std::move(as_exported);
    if (modes.evaluates || says_evaluation_alone(archive)) {
      train_refusal_ =
          file_.string() +
          " holds the graph of evaluation alone, whose batch norm and dropout would not "
          "train; write it with retort_export.save(model, example, path)";
    }
  }
}

/// That every tensor that a graph reads is in the file.
void Program::check_tensors(const Side& side) const {
  for (const InputSpec& input : side.inputs) {
    if (input.target.empty() || weights_.count(input.target) != 0 ||
        constants_.count(input.target) != 0)
      continue;
    throw DataError(file_.string() + ": holds no tensor " + safe_line(input.target) +
                    ", which its graph reads; export the network again");
  }
}

void Program::describe_ends(const ProgramText& text) {
  const auto find_form = [&](const std::string& name) {
    const auto found = text.forms.find(name);
    return found == text.forms.end() ? TensorForm() : found->second;
  };
  for (const InputSpec& input : text.inputs) {
    if (input.kind == InputKind::User) inputs_.emplace_back(input.value, find_form(input.value));
  }
  for (const Argument& output : text.graph.outputs) {
    const auto* name = std::get_if<ValueName>(&output);
    outputs_.push_back(name == nullptr ? TensorForm() : find_form(name->name));
  }
}

void Program::choose_logits(size_t output) {
  const auto add = [&](Side& side) {
    const Operand& operand = side.code.outputs.at(output);
    if (operand.kind != Operand::Kind::Slot) return;
    const int slot = find_classifier_input(side.code, operand.slot);
    if (slot >= 0 && side.taps.emplace("pooled", slot).second) side.tap_names.push_back("pooled");
  };
  add(evaluate_);
  if (train_) add(*train_);
}

std::vector<c10::IValue> Program::gather_inputs(const Side& side,
                                                const std::vector<at::Tensor>& inputs) const {
  std::vector<c10::IValue> values;
  size_t next = 0;
  for (const InputSpec& input : side.inputs) {
    if (input.kind == InputKind::Number) {
      values.emplace_back();
    } else if (input.kind == InputKind::User) {
      if (next >= inputs.size())
        throw DataError(file_.string() + ": takes more inputs than the " +
                        std::to_string(inputs.size()) + " given");
      values.emplace_back(inputs[next++]);
    } else if (const auto weight = weights_.find(input.target); weight != weights_.end()) {
      values.emplace_back(parameters_.all()[weight->second].master);
    } else {
      values.emplace_back(constants_.at(input.target));
    }
  }
  return values;
}

std::vector<c10::IValue> Program::run_side(const Side& side, const std::vector<at::Tensor>& inputs,
                                           const PassSettings& settings, KeptValues& kept) const {
  RunSettings run_settings;
  run_settings.draws = settings.draws;
  run_settings.kept = kept.entries.empty() ? nullptr : &kept;
  run_settings.multiply_adds = settings.multiply_adds;
  const Autocast autocast(parameters_.device().type(), settings.bf16);
  return exported::run(side.code, gather_inputs(side, inputs), run_settings, file_.string());
}

/// Whether a later operator writes to a tap is asked of a pass: each write raises a tensor's version.
/// All of a mode are found at once, so that what is copied does not depend on which were asked before.
void Program::find_overwritten(Side& side, const std::vector<at::Tensor>& inputs,
                               const PassSettings& settings) const {
  const c10::NoGradGuard without_gradients;
  KeptValues kept;
  std::set<int> slots;
  for (const auto& [name, slot] : side.taps) slots.insert(slot);
  for (const int slot : slots) kept.entries.push_back({slot, false, {}, 0});
  std::vector<at::Tensor> before;
  for (const Parameter& parameter : parameters_.all())
    before.push_back(parameter.trained ? at::Tensor() : parameter.master.detach().clone());
  PassSettings quiet = settings;
  quiet.multiply_adds = nullptr;
  run_side(side, inputs, quiet, kept);
  for (size_t i = 0; i < before.size(); ++i)
    if (before[i].defined()) at::Tensor(parameters_.all()[i].master).copy_(before[i]);
  for (const KeptValues::Entry& entry : kept.entries)
    if (entry.value.defined() && entry.value._version() != entry.version)
      side.overwritten.insert(entry.slot);
  side.looked = true;
}

PassResult Program::run(const std::vector<at::Tensor>& inputs, const PassSettings& settings) {
  const bool trains = settings.mode == Mode::Train;
  if (trains && !train_refusal_.empty()) throw DataError(train_refusal_);
  Side& side = trains && train_ ? *train_ : evaluate_;
  if (!settings.taps.empty() && !side.looked) find_overwritten(side, inputs, settings);
  KeptValues kept;
  std::vector<size_t> positions;  // of each tap among the kept
  for (const std::string& tap : settings.taps) {
    const auto known = side.taps.find(tap);
    if (known == side.taps.end())
      throw DataError(file_.string() + ": has no tap " + safe_line(tap) +
                      (trains ? " in training" : ""));
    const auto at = std::find_if(kept.entries.begin(), kept.entries.end(),
                                 [&](const auto& entry) { return entry.slot == known->second; });
    positions.push_back(static_cast<size_t>(at - kept.entries.begin()));
    if (at == kept.entries.end())
      kept.entries.push_back({known->second, side.overwritten.count(known->second) != 0, {}, 0});
  }
  PassResult result;
  result.outputs = run_side(side, inputs, settings, kept);
  for (const size_t position : positions) result.taps.push_back(kept.entries[position].value);
  return result;
}

std::vector<std::string> Program::list_operators() const {
  std::set<std::string> names;
  const auto add = [&](const Side& side) {
    for (const Instruction& instruction : side.code.instructions)
      names.insert(instruction.op != nullptr ? instruction.op->name : instruction.target);
  };
  add(evaluate_);
  if (train_) add(*train_);
  return {names.begin(), names.end()};
}

}  // namespace retort::host::exported
