#include "framework/run/probe_inputs.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/train/transfer.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

constexpr const char* kLogits = "[N, C] float32 or float64";
constexpr const char* kFeature = "[N, ...] float32 or float64";
constexpr const char* kIntegers = "[N] int64";
constexpr const char* kTrainLabels = "[train_count] int64";
constexpr int64_t kMostSamples = int64_t{1} << 31;

bool needs_a_teacher(const ComponentInfo& strategy) {
  return (strategy.needs & RETORT_NEED_NO_TEACHER) == 0;
}

/// Takes the tensors of a file by name, and checks each against the batch and the type of those
/// before.
class Reader {
 public:
  Reader(const std::filesystem::path& file, const ComponentInfo& strategy)
      : file_(file), strategy_(strategy) {
    for (auto& [name, tensor] : load_tensors(file)) tensors_.emplace(name, tensor);
  }

  ProbeInputs read() {
    const bool logits = reads(strategy_, RETORT_NEED_LOGITS);
    const bool teacher = needs_a_teacher(strategy_);
    out_.student.logits = take_float("student.logits", 2, logits, kLogits);
    out_.teacher.logits = take_float("teacher.logits", 2, logits && teacher, kLogits);
    out_.student.features = take_features("student.features.");
    out_.teacher.features = take_features("teacher.features.");
    check_pairs(teacher);
    out_.batch_size = batch_;
    check_batch();
    out_.labels = take_integers("labels", reads(strategy_, RETORT_NEED_LABELS));
    out_.indices = take_integers("indices", reads(strategy_, RETORT_NEED_INDICES));
    take_train_labels();
    count_classes();
    leave_out_undeclared();
    if (!out_.labels.defined()) out_.labels = at::zeros({batch_}, at::kLong);
    if (!out_.indices.defined()) out_.indices = at::arange(batch_, at::kLong);
    check_indices();
    for (const auto& [name, tensor] : tensors_) {
      out_.draws[name] = tensor.is_floating_point() ? tensor.to(out_.type) : tensor;
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(file_.string() + ": " + what);
  }

  at::Tensor take(const std::string& name, bool required, const char* wanted) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      if (required) fail(name + " is missing; " + strategy_.id + " wants it as " + wanted);
      return {};
    }
    const at::Tensor tensor = found->second;
    tensors_.erase(found);
    const int64_t n = tensor.dim() > 0 ? tensor.size(0) : 0;
    if (n < 1) fail(name + " is " + shape_text(tensor.sizes()) + "; wanted " + wanted);
    if (batch_ != 0 && n != batch_) {
      fail(name + " is " + shape_text(tensor.sizes()) + ", " + std::to_string(n) + " samples; " +
           first_ + " has " + std::to_string(batch_) + ", and all are one batch");
    }
    if (batch_ == 0) first_ = name;
    batch_ = n;
    return tensor;
  }

  /// `rank` 0: any.
  at::Tensor take_float(const std::string& name, int64_t rank, bool required, const char* wanted) {
    const at::Tensor tensor = take(name, required, wanted);
    if (!tensor.defined()) return tensor;
    if (rank != 0 && tensor.dim() != rank) {
      fail(name + " is " + shape_text(tensor.sizes()) + "; wanted " + wanted);
    }
    const at::ScalarType type = tensor.scalar_type();
    if (type != at::kFloat && type != at::kDouble) {
      fail(name + " holds " + c10::toString(type) + "; wanted " + wanted);
    }
    if (typed_ && type != out_.type) {
      fail(name + " holds " + c10::toString(type) + " and the tensors before it " +
           c10::toString(out_.type) + "; write all of them in one type");
    }
    typed_ = true;
    out_.type = type;
    return tensor;
  }

  at::Tensor take_integers(const std::string& name, bool required) {
    const at::Tensor tensor = take(name, required, kIntegers);
    return tensor.defined() ? integers_of(name, tensor, kIntegers) : tensor;
  }

  at::Tensor integers_of(const std::string& name, const at::Tensor& tensor,
                         const char* wanted) const {
    if (tensor.dim() != 1 || tensor.numel() == 0 || tensor.is_floating_point()) {
      fail(name + " is " + shape_text(tensor.sizes()) + " " + c10::toString(tensor.scalar_type()) +
           "; wanted " + wanted);
    }
    const at::Tensor integers = tensor.to(at::kLong).contiguous();
    if (integers.min().item<int64_t>() < 0) fail(name + " holds a number below 0");
    return integers;
  }

  /// Those of the whole training set: not one for each sample of the batch.
  void take_train_labels() {
    const auto found = tensors_.find("train_labels");
    if (found == tensors_.end()) return;
    out_.train_labels = integers_of(found->first, found->second, kTrainLabels);
    tensors_.erase(found);
  }

  /// What the strategy would not be handed in training is not handed to it here.
  void leave_out_undeclared() {
    std::vector<std::string> left_out;
    const auto drop = [&](const std::string& name, at::Tensor& tensor) {
      if (!tensor.defined()) return;
      left_out.push_back(name);
      tensor.reset();
    };
    const auto drop_features = [&](const std::string& name, std::vector<at::Tensor>& features) {
      if (!features.empty()) left_out.push_back(name + ".features");
      features.clear();
    };
    if (!reads(strategy_, RETORT_NEED_LOGITS)) {
      drop("student.logits", out_.student.logits);
      drop("teacher.logits", out_.teacher.logits);
    }
    if (!reads(strategy_, RETORT_NEED_FEATURES)) {
      drop_features("student", out_.student.features);
      drop_features("teacher", out_.teacher.features);
    }
    if (!reads(strategy_, RETORT_NEED_LABELS)) {
      drop("labels", out_.labels);
      drop("train_labels", out_.train_labels);
    }
    if (!reads(strategy_, RETORT_NEED_INDICES) && !reads(strategy_, RETORT_NEED_LABELS)) {
      drop("indices", out_.indices);
    }
    if (left_out.empty()) return;
    spdlog::warn("{}: {} does not declare that it reads {}; not handed over", file_.string(),
                 strategy_.id, join(left_out));
  }

  /// That a sample is one place, of one class.
  void check_indices() const {
    const int64_t largest = out_.indices.max().item<int64_t>();
    if (largest >= kMostSamples) {
      fail("indices holds " + std::to_string(largest) + "; at most " +
           std::to_string(kMostSamples - 1) + " is possible");
    }
    const auto* indices = out_.indices.const_data_ptr<int64_t>();
    const auto* labels = out_.labels.const_data_ptr<int64_t>();
    std::map<int64_t, int64_t> classes;  // by sample
    if (const at::Tensor& all = out_.train_labels; all.defined()) {
      for (int64_t n = 0; n < batch_ && largest < all.size(0); ++n)
        classes.emplace(indices[n], all.const_data_ptr<int64_t>()[indices[n]]);
    }
    for (int64_t n = 0; n < batch_; ++n) {
      const auto [known, is_new] = classes.emplace(indices[n], labels[n]);
      if (known->second == labels[n]) continue;
      fail("the sample " + std::to_string(indices[n]) + " of indices has label " +
           std::to_string(labels[n]) + " in labels and " + std::to_string(known->second) +
           (out_.train_labels.defined() ? " in train_labels" : " in another place of the batch"));
    }
  }

  std::vector<at::Tensor> take_features(const std::string& prefix) {
    std::vector<at::Tensor> features;
    while (tensors_.count(prefix + std::to_string(features.size())) != 0) {
      features.push_back(take_float(prefix + std::to_string(features.size()), 0, true, kFeature));
    }
    const auto gap = tensors_.lower_bound(prefix);
    if (gap != tensors_.end() && gap->first.starts_with(prefix)) {
      fail(gap->first + " has no number, or leaves one out: the next would be " + prefix +
           std::to_string(features.size()));
    }
    return features;
  }

  void check_pairs(bool teacher) const {
    const size_t students = out_.student.features.size(), teachers = out_.teacher.features.size();
    if (reads(strategy_, RETORT_NEED_FEATURES) && students == 0) {
      fail("student.features.0 is missing; " + strategy_.id + " wants it as " + kFeature);
    }
    if (teacher && students != teachers) {
      fail("there are " + std::to_string(students) + " student.features and " +
           std::to_string(teachers) + " teacher.features; they are compared in pairs");
    }
  }

  void check_batch() const {
    if (batch_ == 0) fail("there is no student.logits and no student.features.0");
    if (batch_ < strategy_.batch_min || batch_ % strategy_.batch_multiple_of != 0) {
      fail("a batch of " + std::to_string(batch_) + "; " + strategy_.id + " wants " +
           batch_rule_text(strategy_));
    }
  }

  void count_classes() {
    const auto end_of = [](const at::Tensor& labels) {
      return labels.defined() ? labels.max().item<int64_t>() + 1 : int64_t{0};
    };
    const int64_t of_batch = end_of(out_.labels), of_all = end_of(out_.train_labels);
    const int64_t labelled = std::max(of_batch, of_all);
    const at::Tensor& logits = out_.student.logits;
    out_.class_count = logits.defined() ? logits.size(1) : labelled;
    if (labelled > out_.class_count) {
      fail(std::string(of_batch > out_.class_count ? "labels" : "train_labels") + " holds " +
           std::to_string(labelled - 1) + "; student.logits has " +
           std::to_string(out_.class_count) + " classes, counted from 0");
    }
  }

  const std::filesystem::path& file_;
  const ComponentInfo& strategy_;
  std::map<std::string, at::Tensor> tensors_;  // those not taken yet
  ProbeInputs out_;
  int64_t batch_ = 0;
  std::string first_;  // the tensor that the batch was counted from
  bool typed_ = false;
};

}  // namespace

std::vector<ProbeInputRule> probe_input_rules(const ComponentInfo& strategy) {
  const bool teacher = needs_a_teacher(strategy);
  std::vector<ProbeInputRule> rules;
  if (reads(strategy, RETORT_NEED_LOGITS)) {
    rules.push_back({"student.logits", kLogits, true});
    rules.push_back({"teacher.logits", kLogits, teacher});
  }
  if (reads(strategy, RETORT_NEED_FEATURES)) {
    rules.push_back({"student.features.0", kFeature, true});
    rules.push_back({"teacher.features.0", kFeature, teacher});
  }
  if (reads(strategy, RETORT_NEED_LABELS)) rules.push_back({"labels", kIntegers, true});
  const bool indices = reads(strategy, RETORT_NEED_INDICES);
  if (indices || reads(strategy, RETORT_NEED_LABELS)) {
    rules.push_back({"indices", kIntegers, indices});
  }
  if (reads(strategy, RETORT_NEED_LABELS)) rules.push_back({"train_labels", kTrainLabels, false});
  return rules;
}

ProbeInputs read_probe_inputs(const std::filesystem::path& file, const ComponentInfo& strategy) {
  return Reader(file, strategy).read();
}

}  // namespace retort::host
