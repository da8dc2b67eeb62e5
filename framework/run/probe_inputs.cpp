#include "framework/run/probe_inputs.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "framework/error.hpp"
#include "framework/text.hpp"
#include "framework/train/weights.hpp"

namespace retort::host {
namespace {

constexpr const char* kLogits = "[N, C] float32 or float64";
constexpr const char* kFeature = "[N, ...] float32 or float64";
constexpr const char* kIntegers = "[N] int64";

bool needs(const ComponentInfo& strategy, uint32_t need) { return (strategy.needs & need) != 0; }

/// Takes the tensors of a file by name, and checks each against the batch and the type of those
/// before.
class Reader {
 public:
  Reader(const std::filesystem::path& file, const ComponentInfo& strategy)
      : file_(file), strategy_(strategy) {
    for (auto& [name, tensor] : load_tensors(file)) tensors_.emplace(name, tensor);
  }

  ProbeInputs read() {
    const bool logits = needs(strategy_, RETORT_NEED_LOGITS);
    const bool teacher = !needs(strategy_, RETORT_NEED_NO_TEACHER);
    out_.student.logits = take_float("student.logits", 2, logits, kLogits);
    out_.teacher.logits = take_float("teacher.logits", 2, logits && teacher, kLogits);
    out_.student.features = take_features("student.features.");
    out_.teacher.features = take_features("teacher.features.");
    check_pairs(teacher);
    out_.batch_size = batch_;
    check_batch();
    out_.labels = take_integers("labels", needs(strategy_, RETORT_NEED_LABELS));
    out_.indices = take_integers("indices", needs(strategy_, RETORT_NEED_INDICES));
    count_classes();
    if (!out_.labels.defined()) out_.labels = at::zeros({batch_}, at::kLong);
    if (!out_.indices.defined()) out_.indices = at::arange(batch_, at::kLong);
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
    if (!tensor.defined()) return tensor;
    if (tensor.dim() != 1 || tensor.is_floating_point()) {
      fail(name + " is " + shape_text(tensor.sizes()) + " " + c10::toString(tensor.scalar_type()) +
           "; wanted " + kIntegers);
    }
    const at::Tensor integers = tensor.to(at::kLong);
    if (integers.min().item<int64_t>() < 0) fail(name + " holds a number below 0");
    return integers;
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
    if (needs(strategy_, RETORT_NEED_FEATURES) && students == 0) {
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
      fail("a batch of " + std::to_string(batch_) + "; " + strategy_.id + " wants at least " +
           std::to_string(strategy_.batch_min) + " samples, a multiple of " +
           std::to_string(strategy_.batch_multiple_of));
    }
  }

  void count_classes() {
    const int64_t labelled =
        out_.labels.defined() ? out_.labels.max().item<int64_t>() + 1 : int64_t{0};
    const at::Tensor& logits = out_.student.logits;
    out_.class_count = logits.defined() ? logits.size(1) : labelled;
    if (labelled > out_.class_count) {
      fail("labels holds " + std::to_string(labelled - 1) + "; student.logits has " +
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
  const bool logits = needs(strategy, RETORT_NEED_LOGITS);
  const bool features = needs(strategy, RETORT_NEED_FEATURES);
  const bool teacher = !needs(strategy, RETORT_NEED_NO_TEACHER);
  return {{"student.logits", kLogits, logits},
          {"teacher.logits", kLogits, logits && teacher},
          {"student.features.0", kFeature, features},
          {"teacher.features.0", kFeature, features && teacher},
          {"labels", kIntegers, needs(strategy, RETORT_NEED_LABELS)},
          {"indices", kIntegers, needs(strategy, RETORT_NEED_INDICES)}};
}

ProbeInputs read_probe_inputs(const std::filesystem::path& file, const ComponentInfo& strategy) {
  return Reader(file, strategy).read();
}

}  // namespace retort::host
