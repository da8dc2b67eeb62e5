// What a call of an operator does beside making its result, read from its tags, schema and name when it
// is found.
#include <ATen/core/Tensor.h>
#include <ATen/core/enum_tag.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "framework/bridge/operators.hpp"

namespace retort::host {
namespace {

constexpr const char* kFixedShape = "find an operator whose result has a fixed shape";

/// LAPACK's results are checked on the host; LibTorch has no tag for it.
constexpr std::array kChecked = {"aten::linalg_svd",
                                 "aten::linalg_svdvals",
                                 "aten::linalg_solve",
                                 "aten::linalg_eigh",
                                 "aten::linalg_eigvalsh",
                                 "aten::linalg_eig",
                                 "aten::linalg_eigvals",
                                 "aten::linalg_cholesky",
                                 "aten::linalg_inv",
                                 "aten::linalg_lu_factor",
                                 "aten::linalg_ldl_factor",
                                 "aten::linalg_pinv",
                                 "aten::linalg_tensorinv",
                                 "aten::linalg_tensorsolve",
                                 "aten::linalg_matrix_rank",
                                 "aten::linalg_cond",
                                 "aten::svd",
                                 "aten::inverse",
                                 "aten::cholesky",
                                 "aten::pinverse",
                                 "aten::nuclear_norm"};

/// Composites of operators that have a tag, and have none themselves.
constexpr std::array kComposites = {"aten::where", "aten::nonzero_numpy", "aten::is_nonzero",
                                    "aten::combinations",
                                    "aten::tensor_split.tensor_indices_or_sections"};

/// Operators that give what lies in memory or in a file, which could not be repeated.
constexpr std::array<const char*, 8> kUnfit = {
    "aten::empty",     "aten::empty_like",        "aten::empty_strided",   "aten::empty_permuted",
    "aten::new_empty", "aten::new_empty_strided", "aten::empty_quantized", "aten::from_file"};

template <size_t N>
bool contains(const std::array<const char*, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The position of the argument of that name, or -1.
int position_of(const Operator& op, std::string_view name) {
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    if (op.arguments[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

const c10::IValue* argument(const Operator& op, const c10::Stack& arguments, const char* name) {
  const int at = position_of(op, name);
  return at < 0 ? nullptr : &arguments[static_cast<size_t>(at)];
}

const char* waits_always(const Operator&, const c10::Stack&) { return kFixedShape; }

const char* waits_without_classes(const Operator& op, const c10::Stack& arguments) {
  const c10::IValue* classes = argument(op, arguments, "num_classes");
  return classes != nullptr && classes->isInt() && classes->toInt() >= 0 ? nullptr
                                                                         : "give num_classes";
}

const char* waits_without_output_size(const Operator& op, const c10::Stack& arguments) {
  const c10::IValue* size = argument(op, arguments, "output_size");
  return size != nullptr && !size->isNone() ? nullptr : "give output_size";
}

const char* waits_for_masks(const Operator& op, const c10::Stack& arguments) {
  const c10::IValue* indices = argument(op, arguments, "indices");
  if (indices == nullptr || !indices->isList()) return kFixedShape;
  for (const c10::IValue& entry : indices->toListRef()) {
    if (!entry.isTensor() || !entry.toTensor().defined()) continue;
    const at::ScalarType type = entry.toTensor().scalar_type();
    if (type == at::kBool || type == at::kByte)
      return "use where() or masked_fill() in place of a mask";
  }
  return nullptr;
}

const char* waits_to_check_errors(const Operator& op, const c10::Stack& arguments) {
  const c10::IValue* check = argument(op, arguments, "check_errors");
  return check != nullptr && check->isBool() && check->toBool() ? "leave check_errors out"
                                                                : nullptr;
}

void read_waiting(Operator& op, const std::string& name) {
  const bool repeats = op.name == "aten::repeat_interleave.Tensor" ||
                       op.name == "aten::repeat_interleave.self_Tensor";
  const bool indexes = name == "aten::index" || name == "aten::index_put" ||
                       name == "aten::_unsafe_index" || name == "aten::_unsafe_index_put";
  if (name == "aten::one_hot") {
    op.waits = waits_without_classes;
  } else if (repeats) {
    op.waits = waits_without_output_size;
  } else if (indexes) {
    op.waits = waits_for_masks;
  } else if (position_of(op, "check_errors") >= 0) {
    op.waits = waits_to_check_errors;
  } else if (contains(kChecked, name) || contains(kComposites, op.name) ||
             op.handle.hasTag(at::Tag::data_dependent_output) ||
             op.handle.hasTag(at::Tag::dynamic_output_shape)) {
    op.waits = waits_always;
  }
}

void read_drawing(Operator& op, const std::string& name) {
  op.random = op.handle.hasTag(at::Tag::nondeterministic_seeded);
  if (!op.random) return;
  const bool drops = name.find("dropout") != std::string::npos;
  for (const char* probability : {"dropout_p", "dropout", "p"}) {
    if (op.dropout_at >= 0 || (std::string_view(probability) == "p" && !drops)) continue;
    op.dropout_at = position_of(op, probability);
  }
  if (!drops && op.dropout_at < 0 && !name.starts_with("aten::rrelu")) return;
  for (const char* flag : {"train", "training"}) {
    if (op.train_at < 0) op.train_at = position_of(op, flag);
  }
}

/// LibTorch's schemas of batch norm and instance norm do not say that running statistics change.
void read_statistics(Operator& op, const std::string& name) {
  for (const char* unchanged : {"functional", "no_training", "no_update", "backward"}) {
    if (name.find(unchanged) != std::string::npos) return;
  }
  for (const char* statistic : {"running_mean", "running_var"}) {
    const int at = position_of(op, statistic);
    if (at >= 0) op.statistics.push_back(static_cast<size_t>(at));
  }
  if (op.statistics.empty()) return;
  for (const char* flag : {"training", "use_input_stats"}) {
    if (op.training_at < 0) op.training_at = position_of(op, flag);
  }
}

void read_writing(Operator& op, const std::string& name) {
  const c10::FunctionSchema& schema = op.handle.schema();
  op.mutates = schema.is_mutable();
  for (size_t i = 0; op.mutates && i < schema.arguments().size(); ++i) {
    const c10::AliasInfo* alias = schema.arguments()[i].alias_info();
    if (alias != nullptr && alias->isWrite()) op.written.push_back(i);
  }
  if (!op.mutates) read_statistics(op, name);
  constexpr std::array kOthers = {"aten::set_data",       "aten::requires_grad_",
                                  "aten::retain_grad",    "aten::rename_",
                                  "aten::sparse_resize_", "aten::_resize_output_"};
  op.reshapes = op.handle.hasTag(at::Tag::inplace_view) || contains(kOthers, name);
}

}  // namespace

void read_effects(Operator& op, const std::string& name) {
  op.unfit = contains(kUnfit, name);
  read_drawing(op, name);
  read_waiting(op, name);
  read_writing(op, name);
}

}  // namespace retort::host
