#include "framework/train/transfer.hpp"

#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/bridge/door.hpp"
#include "framework/bridge/handle.hpp"
#include "framework/bridge/operators.hpp"
#include "framework/config/diagnostics.hpp"

namespace retort::host {
namespace {

retort_shape shape_record(const std::string& name, const std::vector<int64_t>& sizes) {
  retort_shape record{};
  record.struct_size = sizeof(record);
  record.rank = static_cast<uint32_t>(sizes.size());
  record.name = name.c_str();
  std::copy(sizes.begin(), sizes.end(), record.sizes);
  return record;
}

/// The records of one network's shapes; `taps` and `shapes` must outlive it.
struct ShapeRecords {
  ShapeRecords(const OutputShapes& shapes, const std::vector<std::string>& taps) {
    static const std::string kLogits = "logits";
    if (shapes.features.size() > taps.size()) {
      throw ShapeError(std::to_string(shapes.features.size()) + " feature maps for the taps " +
                       join(taps) + "; bind a tap for each");
    }
    for (size_t i = 0; i < shapes.features.size(); ++i)
      features.push_back(shape_record(taps[i], shapes.features[i]));
    record.struct_size = sizeof(record);
    record.feature_stride = sizeof(retort_shape);
    record.feature_count = static_cast<int64_t>(features.size());
    record.features = features.data();
    record.logits = shape_record(kLogits, shapes.logits);
  }
  std::vector<retort_shape> features;
  retort_network_shapes record{};
};

/// The records of what a strategy reads of one network's outputs, which must outlive it.
struct OutputRecords {
  OutputRecords(const Outputs& outputs, const ComponentInfo& strategy) {
    record.struct_size = sizeof(record);
    if (reads(strategy, RETORT_NEED_LOGITS)) record.logits = borrowed_value(outputs.logits);
    if (!reads(strategy, RETORT_NEED_FEATURES)) return;
    features.reserve(outputs.features.size());
    for (const at::Tensor& feature : outputs.features) features.push_back(borrowed_value(feature));
    record.features = features.data();
    record.feature_count = static_cast<int64_t>(features.size());
  }
  std::vector<retort_value> features;
  retort_network_step record{};
};

/// What a plugin in plain C, or of an older SDK, is not told by its own side: which declaration would
/// have handed over the tensor that is missing.
void add_undeclared(retort_error& error, const ComponentInfo& strategy) {
  const std::string reason(error.message, ::strnlen(error.message, sizeof error.message));
  if (reason.find("is none; it takes") == std::string::npos &&
      reason.find("none is passed where a tensor") == std::string::npos) {
    return;
  }
  constexpr std::pair<retort_need, const char*> kNeeds[] = {{RETORT_NEED_LOGITS, "Logits"},
                                                            {RETORT_NEED_FEATURES, "Features"},
                                                            {RETORT_NEED_LABELS, "Labels"},
                                                            {RETORT_NEED_INDICES, "Indices"}};
  std::vector<std::string> missing;
  for (const auto& [need, name] : kNeeds) {
    if (!reads(strategy, need)) missing.push_back("needs(" + std::string(name) + ")");
  }
  if (missing.empty()) return;
  const std::string text =
      reason + "; " + strategy.id + " does not declare " + join(missing) + ": add what it reads";
  std::strncpy(error.message, text.c_str(), sizeof error.message - 1);
  error.message[sizeof error.message - 1] = '\0';
}

const at::Tensor& find_field(const Batch& batch, const char* name) {
  static const at::Tensor kNone;
  const at::Tensor* found = batch.find(name);
  return found == nullptr ? kNone : *found;
}

/// Notes what a strategy is handed, so that it cannot write to it.
void lend(LentTensors& lent, const StepView& step) {
  for (const ParticipantOutputs& participant : step.participants) {
    lent.add(participant.outputs.logits);
    for (const at::Tensor& feature : participant.outputs.features) lent.add(feature);
  }
  for (const char* field : {kLabelField, kIndexField}) lent.add(find_field(step.batch, field));
  lent.add(step.progress);
}

}  // namespace

bool reads(const ComponentInfo& strategy, retort_need need) {
  constexpr uint32_t kInputs =
      RETORT_NEED_LOGITS | RETORT_NEED_FEATURES | RETORT_NEED_LABELS | RETORT_NEED_INDICES;
  const uint32_t declared = strategy.needs & kInputs;
  return ((declared == 0 ? uint32_t{RETORT_NEED_LOGITS} : declared) & need) != 0;
}

Transfer::Transfer(const TransferConfig& config, at::Device device, uint64_t seed,
                   at::ScalarType float_type)
    : config_(config),
      parameters_(seed, config.name, device, float_type),
      instance_(std::make_unique<Instance>(Library::open(config.strategy.info.file, &host_table()),
                                           config.strategy.info, config.strategy.options)),
      functions_(&instance_->interface<retort_strategy_interface>(RETORT_STRATEGY_INTERFACE)) {
  if (config_.student.empty()) config_.student = kStudentName;
  if (config_.teachers.empty() && needs_teacher()) config_.teachers = {kTeacherName};
  scope_.component = &config_.strategy.info;
  scope_.instance = config_.name;
  scope_.device = device;
  scope_.float_type = float_type;
  scope_.seed = seed;
  scope_.training = true;
  scope_.parameters = &parameters_;
  for (const OperatorName& use : config_.strategy.info.uses) find_operator(use.name, use.overload);
}

void Transfer::setup(const RunShape& run, OutputSource& student, OutputSource* teacher) {
  const std::string& key = config_.key;
  auto& of_student = config_.bind_student;
  auto& of_teacher = config_.bind_teacher;
  of_student = student.resolve_taps(of_student, key + ".bind.student", config_.bind_student_place);
  const auto set_up = [&](const OutputShapes& of_teachers) {
    try {
      setup(run, student.find_shapes(of_student, run.batch_size), of_teachers);
    } catch (const ShapeError& refused) {
      refuse_binding(refused.what());
    }
  };
  if (teacher == nullptr || !needs_teacher()) {
    of_teacher.clear();
    return set_up({});
  }
  of_teacher = teacher->resolve_taps(of_teacher, key + ".bind.teacher", config_.bind_teacher_place);
  if (of_student.size() != of_teacher.size()) {
    throw ConfigError(key + ".bind: the student has " + join(of_student) + " and the teacher " +
                      join(of_teacher) +
                      "; they are compared in pairs: name as many taps of each, bind = { student = "
                      "[...], teacher = [...] }");
  }
  set_up(teacher->find_shapes(of_teacher, run.batch_size));
}

void Transfer::refuse_binding(const std::string& what) const {
  const bool bound = !config_.bind_student.empty();
  std::string subject = config_.key;
  if (bound) subject += ".bind = " + join(config_.bind_student);
  if (bound && config_.bind_teacher != config_.bind_student && !config_.bind_teacher.empty()) {
    subject += " and " + join(config_.bind_teacher);
  }
  Diagnostics diagnostics;
  diagnostics.add(bound ? config_.bind_student_place : config_.strategy.place, subject, what);
  diagnostics.throw_if_any();
  throw ConfigError(subject + ": " + what);  // not reached
}

void Transfer::setup(const RunShape& run, const OutputShapes& student,
                     const OutputShapes& teacher) {
  const ShapeRecords student_records(student, config_.bind_student);
  const ShapeRecords teacher_records(teacher, config_.bind_teacher);
  retort_setup setup{};
  setup.struct_size = sizeof(setup);
  setup.class_count = run.class_count;
  setup.train_count = run.train_count;
  setup.batch_size = run.batch_size;
  setup.epoch_count = run.epoch_count;
  setup.step_count = run.step_count;
  if (reads(instance_->info(), RETORT_NEED_LABELS)) setup.labels = run.labels;
  setup.student = &student_records.record;
  setup.teacher = &teacher_records.record;

  scope_.function = PluginFunction::Setup;
  call_plugin(scope_, "setup()", [&](retort_error* error) {
    return functions_->setup(instance_->self(), &setup, error);
  });
  is_set_up_ = true;
}

const Outputs& Transfer::choose_teacher(const StepView& view) {
  if (config_.teachers.size() < 2) return view.of(kTeacherName);
  if (mean_.logits.defined()) return mean_;
  std::vector<at::Tensor> log_probabilities;
  for (const Wanted& wanted : this->wanted()) {
    if (wanted.as == kStudentName) continue;
    log_probabilities.push_back(at::log_softmax(view.of(wanted.as).logits, -1));
  }
  mean_.logits = at::logsumexp(at::stack(log_probabilities), 0)
                     .sub(std::log(static_cast<double>(log_probabilities.size())));
  return mean_;
}

template <class Function>
void Transfer::with_step(const StepView& view, PluginFunction which, Function&& function) {
  const ComponentInfo& info = instance_->info();
  const OutputRecords student(view.of(kStudentName), info);
  const OutputRecords teacher(choose_teacher(view), info);
  retort_step step{};
  step.struct_size = sizeof(step);
  step.student = &student.record;
  step.teacher = &teacher.record;
  if (reads(info, RETORT_NEED_LABELS))
    step.labels = borrowed_value(find_field(view.batch, kLabelField));
  if (reads(info, RETORT_NEED_INDICES))
    step.indices = borrowed_value(find_field(view.batch, kIndexField));
  step.progress = borrowed_value(view.progress);
  step.epoch = view.epoch;
  step.step = view.step;
  // The draws of a step are those of its loss and of what comes after it.
  const bool is_new = which == PluginFunction::Loss || scope_.function != PluginFunction::Loss;
  if (is_new || scope_.step != view.step) scope_.drawn.clear();
  scope_.function = which;
  scope_.step = view.step;
  lend(scope_.lent, view);
  if (mean_.logits.defined()) scope_.lent.add(mean_.logits);
  scope_.lent.add(returned_);
  call_plugin(scope_, which == PluginFunction::Loss ? "loss()" : "after_backward()",
              [&](retort_error* error) {
                const int32_t code = function(&step, error);
                if (code != RETORT_OK) add_undeclared(*error, info);
                return code;
              });
}

at::Tensor Transfer::loss(const StepView& view) {
  at::Tensor loss;
  returned_.reset();
  mean_ = {};
  with_step(view, PluginFunction::Loss, [&](const retort_step* step, retort_error* error) {
    retort_value value{};
    const int32_t code = functions_->loss(instance_->self(), step, &value, error);
    if (code == RETORT_OK && value.tag == RETORT_TAG_TENSOR) {
      loss = tensor_of(value.as.tensor);
      host_table().release(value.as.tensor);
    }
    return code;
  });
  if (loss.defined() && loss.is_complex()) {
    throw PluginError(config_.strategy.info.id + " " + config_.strategy.info.version + " (" +
                      config_.strategy.info.file.string() + "): " + where_text(scope_) +
                      " returns a complex number; a loss is a real one: take its absolute value or "
                      "its real part");
  }
  if (!loss.defined() || loss.numel() != 1) {
    throw PluginError(config_.strategy.info.id + " " + config_.strategy.info.version + " (" +
                      config_.strategy.info.file.string() + "): " + where_text(scope_) +
                      " returns " +
                      (loss.defined() ? std::to_string(loss.numel()) + " elements" : "no tensor") +
                      "; a loss is one number, a tensor of shape []");
  }
  returned_ = loss.detach();
  // Not always: a view of a [] is another node for the backward pass.
  return loss.dim() == 0 ? loss : loss.reshape({});
}

void Transfer::after_backward(const StepView& view) {
  with_step(view, PluginFunction::AfterBackward, [&](const retort_step* step, retort_error* error) {
    return functions_->after_backward(instance_->self(), step, error);
  });
  returned_.reset();
  mean_ = {};
}

std::vector<Wanted> Transfer::wanted() const {
  std::vector<Wanted> all = {
      {kStudentName, config_.student, config_.view_student, config_.bind_student}};
  for (size_t i = 0; i < config_.teachers.size(); ++i) {
    const std::string as = kTeacherName + (i == 0 ? "" : "." + std::to_string(i + 1));
    all.push_back({as, config_.teachers[i], config_.view_teacher,
                   i == 0 ? config_.bind_teacher : std::vector<std::string>()});
  }
  return all;
}

double Transfer::weight_at(double epoch) const {
  const WeightSchedule& weight = config_.weight;
  if (epoch <= weight.begin_epoch || weight.from == weight.to) return weight.from;
  if (epoch >= weight.end_epoch) return weight.to;
  const double part = (epoch - weight.begin_epoch) / (weight.end_epoch - weight.begin_epoch);
  return weight.from + (weight.to - weight.from) * part;
}

}  // namespace retort::host
