#include "framework/exported/operands.hpp"

#include <ATen/core/List.h>
#include <ATen/ops/scalar_tensor.h>

#include "framework/base/error.hpp"
#include "framework/exported/dtype.hpp"

namespace retort::host::exported {
namespace {

bool wants(const Operator::Argument* wanted, ArgumentKind kind) {
  return wanted != nullptr && wanted->kind == kind;
}

template <class To, class From>
c10::List<To> make_list(const std::vector<From>& values) {
  c10::List<To> list;
  list.reserve(values.size());
  for (const From value : values) list.push_back(static_cast<To>(value));
  return list;
}

/// Makes an operand of each kind of argument.
class OperandMaker {
 public:
  OperandMaker(const Operator::Argument* wanted, const OperandContext& context)
      : wanted_(wanted), context_(context) {}

  Operand operator()(const None&) const { return {}; }
  Operand operator()(const ValueName& value) const {
    Operand operand;
    operand.kind = Operand::Kind::Slot;
    operand.slot = context_.find_slot(value.name);
    return operand;
  }
  Operand operator()(int64_t number) const {
    if (wants(wanted_, ArgumentKind::Real)) return make_constant(static_cast<double>(number));
    if (wants(wanted_, ArgumentKind::IntList)) {
      const auto times = static_cast<size_t>(std::max<int64_t>(wanted_->fixed_size, 1));
      return make_constant(make_list<int64_t>(std::vector<int64_t>(times, number)));
    }
    return make_constant(number);
  }
  Operand operator()(double number) const { return make_constant(number); }
  Operand operator()(bool flag) const { return make_constant(flag); }
  Operand operator()(const std::string& text) const { return make_constant(text); }
  Operand operator()(DtypeNumber dtype) const {
    return make_constant(static_cast<int64_t>(find_dtype(dtype.number)));
  }
  Operand operator()(MemoryFormatNumber format) const {
    return make_constant(static_cast<int64_t>(find_memory_format(format.number)));
  }
  Operand operator()(AnyLayout) const {
    return make_constant(static_cast<int64_t>(at::Layout::Strided));
  }
  Operand operator()(AnyDevice) const { return make_constant(context_.device); }
  Operand operator()(const std::vector<int64_t>& list) const {
    return wants(wanted_, ArgumentKind::RealList) ? make_constant(make_list<double>(list))
                                                  : make_constant(make_list<int64_t>(list));
  }
  Operand operator()(const std::vector<double>& list) const {
    return make_constant(make_list<double>(list));
  }
  Operand operator()(const std::vector<bool>& list) const {
    return make_constant(make_list<bool>(list));
  }
  Operand operator()(const IntItems& list) const {
    Operand operand;
    operand.kind = Operand::Kind::Ints;
    for (const Item& item : list.items) operand.items.push_back(make_item(item));
    return operand;
  }
  Operand operator()(const TensorItems& list) const {
    Operand operand;
    const bool optional = wanted_ != nullptr && wanted_->optional_entries;
    operand.kind = optional ? Operand::Kind::OptionalTensors : Operand::Kind::Tensors;
    for (const Item& item : list.items) {
      operand.items.push_back(make_item(item));
      if (operand.items.back().first < 0 && !optional)
        throw DataError("a list of tensors lacks one, which only lists of indices may");
    }
    return operand;
  }
  Operand operator()(const std::shared_ptr<const Graph>& graph) const {
    Operand operand;
    operand.kind = Operand::Kind::Region;
    operand.region = context_.compile_region(*graph);
    return operand;
  }

 private:
  static Operand make_constant(c10::IValue value) {
    Operand operand;
    operand.constant = std::move(value);
    return operand;
  }
  std::pair<int, int64_t> make_item(const Item& item) const {
    if (const auto* name = std::get_if<ValueName>(&item))
      return {context_.find_slot(name->name), 0};
    const auto* number = std::get_if<int64_t>(&item);
    return {-1, number == nullptr ? 0 : *number};
  }

  const Operator::Argument* wanted_;
  const OperandContext& context_;
};

}  // namespace

c10::IValue wrap_number(const c10::IValue& number) {
  at::Tensor tensor;
  if (number.isBool()) tensor = at::scalar_tensor(number.toBool(), at::kBool);
  if (number.isInt()) tensor = at::scalar_tensor(number.toInt(), at::kLong);
  if (number.isDouble()) tensor = at::scalar_tensor(number.toDouble(), at::kDouble);
  if (!tensor.defined()) return number;
  tensor.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensor;
}

Operand make_operand(const Argument& argument, const Operator::Argument* wanted,
                     const OperandContext& context) {
  Operand operand = std::visit(OperandMaker(wanted, context), argument);
  operand.is_tensor = wants(wanted, ArgumentKind::Tensor);
  if (operand.is_tensor && operand.kind == Operand::Kind::Constant)
    operand.constant = wrap_number(operand.constant);
  return operand;
}

}  // namespace retort::host::exported
