#include "framework/bridge/operators.hpp"

#include <ATen/core/jit_type.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/bridge/batch_norm_relu.hpp"

namespace retort::host {
namespace {

using c10::TypeKind;

ArgumentKind list_kind(const c10::Type& element) {
  switch (element.kind()) {
    case TypeKind::TensorType:
      return ArgumentKind::TensorList;
    case TypeKind::OptionalType:
      return element.expectRef<c10::OptionalType>().getElementType()->kind() == TypeKind::TensorType
                 ? ArgumentKind::TensorList
                 : ArgumentKind::DefaultOnly;
    case TypeKind::IntType:
    case TypeKind::SymIntType:
      return ArgumentKind::IntList;
    case TypeKind::FloatType:
      return ArgumentKind::RealList;
    case TypeKind::BoolType:
      return ArgumentKind::BoolList;
    default:
      return ArgumentKind::DefaultOnly;
  }
}

ArgumentKind kind_of(const c10::Type& type) {
  switch (type.kind()) {
    case TypeKind::TensorType:
      return ArgumentKind::Tensor;
    case TypeKind::IntType:
    case TypeKind::SymIntType:
      return ArgumentKind::Int;
    case TypeKind::FloatType:
      return ArgumentKind::Real;
    case TypeKind::NumberType:
      return ArgumentKind::Number;
    case TypeKind::BoolType:
      return ArgumentKind::Bool;
    case TypeKind::StringType:
      return ArgumentKind::Text;
    case TypeKind::ScalarTypeType:
      return ArgumentKind::Dtype;
    case TypeKind::DeviceObjType:
      return ArgumentKind::Device;
    case TypeKind::ListType:
      return list_kind(*type.expectRef<c10::ListType>().getElementType());
    default:
      return ArgumentKind::DefaultOnly;
  }
}

Operator::Argument read_argument(const c10::Argument& from) {
  Operator::Argument argument;
  argument.name = from.name();
  // The real type tells a dtype from an int; both are ints on the stack.
  c10::TypePtr type = from.real_type();
  if (type->kind() == TypeKind::OptionalType) {
    argument.optional = true;
    type = type->expectRef<c10::OptionalType>().getElementType();
  }
  argument.kind = kind_of(*type);
  if (argument.kind == ArgumentKind::TensorList) {
    argument.optional_entries =
        type->expectRef<c10::ListType>().getElementType()->kind() == TypeKind::OptionalType;
  }
  argument.fixed_size = from.N().value_or(0);
  if (from.default_value()) argument.default_value = &*from.default_value();
  return argument;
}

// Multiply-adds of the operators that matter: outputs times the length of each one's sum.
int64_t conv_multiply_adds(const c10::Stack& arguments, int64_t outputs) {
  const at::Tensor& weight = arguments[1].toTensor();
  return outputs * (weight.numel() / weight.size(0));
}
int64_t conv_transpose_multiply_adds(const c10::Stack& arguments, int64_t) {
  const at::Tensor& weight = arguments[1].toTensor();
  return arguments[0].toTensor().numel() * (weight.numel() / weight.size(0));
}
int64_t matmul_multiply_adds(const c10::Stack& arguments, int64_t outputs) {
  return outputs * arguments[0].toTensor().size(-1);
}

/// The variance of a single value is 0 / 0: LibTorch would leave NaN in the running statistics.
void refuse_single_values(const c10::Stack& arguments) {
  const at::Tensor& input = arguments[0].toTensor();
  const bool training = arguments[5].toBool();
  if (!training || input.dim() < 2 || input.numel() != input.size(1)) return;
  throw ShapeError("batch norm of " + shape_text(input.sizes()) +
                   " in training; it needs more than 1 value per channel: use a larger batch_size "
                   "or larger images");
}

void read_cost(Operator& op, const std::string& name) {
  if (name == "aten::conv2d") op.multiply_adds = conv_multiply_adds;
  if (name == "aten::conv_transpose2d") op.multiply_adds = conv_transpose_multiply_adds;
  if (name == "aten::linear" || name == "aten::matmul" || name == "aten::mm" ||
      name == "aten::bmm") {
    op.multiply_adds = matmul_multiply_adds;
  }
}

std::unique_ptr<Operator> read_operator(const c10::OperatorHandle& handle,
                                        const std::string& name) {
  const c10::FunctionSchema& schema = handle.schema();
  auto op = std::make_unique<Operator>(Operator{handle, {}, {}, {}});
  op->name = schema.overload_name().empty() ? name : name + "." + schema.overload_name();
  bool takes_tensor = false;
  for (const c10::Argument& from : schema.arguments()) {
    op->arguments.push_back(read_argument(from));
    const ArgumentKind kind = op->arguments.back().kind;
    const int at = static_cast<int>(op->arguments.size()) - 1;
    if (kind == ArgumentKind::Tensor || kind == ArgumentKind::TensorList) takes_tensor = true;
    if (kind == ArgumentKind::Device) op->device_at = at;
    if (kind == ArgumentKind::Dtype) op->dtype_at = at;
  }
  if (takes_tensor) op->device_at = op->dtype_at = -1;
  op->wrapped = std::ranges::binary_search(wrapped_operators(), std::string_view(op->name));
  read_effects(*op, name);
  if (op->name == "aten::relu" || op->name == "aten::add.Tensor") {
    op->in_place = c10::Dispatcher::singleton().findSchema({name + "_", schema.overload_name()});
  }
  read_cost(*op, name);
  if (name == "aten::batch_norm" || name == "retort::batch_norm_relu")
    op->check = refuse_single_values;
  return op;
}

/// "int, Dimname": the overloads of a name, but for those that write to an argument.
std::string overloads_text(const std::string& name) {
  std::set<std::string> overloads;
  for (const c10::OperatorName& known : c10::Dispatcher::singleton().getAllOpNames()) {
    if (known.name == name && !known.overload_name.ends_with("out"))
      overloads.insert(known.overload_name.empty() ? "\"\"" : known.overload_name);
  }
  std::string text;
  for (const std::string& overload : overloads) text += (text.empty() ? "" : ", ") + overload;
  return text;
}

[[noreturn]] void refuse_name(const std::string& name, const std::string& overload) {
  const std::string full = "operator " + name + (overload.empty() ? "" : "." + overload);
  const std::string overloads = overloads_text(name);
  if (!overloads.empty()) {
    throw PluginError(full + " does not exist in this host's LibTorch; choose an overload of " +
                      name + " that does: " + overloads);
  }
  const bool short_name = name.find("::") == std::string::npos;
  const bool known = short_name && !overloads_text("aten::" + name).empty();
  throw PluginError(full + " does not exist in this host's LibTorch; " +
                    (known ? "it is called aten::" + name : "check the name and the overload"));
}

/// Throws for operators that would work around what the host keeps in order.
void check_offered(const std::string& name) {
  if (name.empty()) throw PluginError("an operator without a name is asked for; give it one");
  if (name == "aten::_backward") {
    throw PluginError(
        "aten::_backward would add to the gradients of the network that trains; ask for a gradient "
        "of your own with grad()");
  }
  const bool ours = name.starts_with("aten::") || name.starts_with("retort::");
  if (!ours && name.find("::") != std::string::npos) {
    throw PluginError("operator " + name +
                      " is none of LibTorch's namespace aten; a host offers those alone");
  }
}

}  // namespace

const Operator& find_operator(const std::string& name, const std::string& overload) {
  check_offered(name);
  register_batch_norm_relu();
  static std::mutex mutex;
  static std::map<std::pair<std::string, std::string>, std::unique_ptr<Operator>> known;
  const std::lock_guard lock(mutex);
  std::unique_ptr<Operator>& op = known[{name, overload}];
  if (op == nullptr) {
    const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!handle) {
      known.erase({name, overload});
      refuse_name(name, overload);
    }
    op = read_operator(*handle, name);
  }
  return *op;
}

}  // namespace retort::host
