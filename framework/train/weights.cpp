#include "framework/train/weights.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "framework/error.hpp"
#include "framework/text.hpp"

namespace retort::host {
namespace {

constexpr size_t kNamesShown = 12;

std::optional<at::ScalarType> scalar_type(SafeDtype dtype) {
  switch (dtype) {
    case SafeDtype::F32:
      return at::kFloat;
    case SafeDtype::F64:
      return at::kDouble;
    case SafeDtype::F16:
      return at::kHalf;
    case SafeDtype::BF16:
      return at::kBFloat16;
    case SafeDtype::I64:
      return at::kLong;
    case SafeDtype::I32:
      return at::kInt;
    case SafeDtype::U8:
      return at::kByte;
    case SafeDtype::Bool:
      return at::kBool;
    default:
      return std::nullopt;
  }
}

bool is_float(SafeDtype dtype) {
  const std::optional<at::ScalarType> type = scalar_type(dtype);
  return type && at::isFloatingType(*type);
}

SafeDtype safe_dtype(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return SafeDtype::F64;
    case at::kHalf:
      return SafeDtype::F16;
    case at::kBFloat16:
      return SafeDtype::BF16;
    case at::kLong:
      return SafeDtype::I64;
    default:
      return SafeDtype::F32;
  }
}

std::string renamed(const std::string& name, const std::map<std::string, std::string>& rename) {
  const std::pair<const std::string, std::string>* best = nullptr;
  for (const auto& rule : rename) {
    const std::string& from = rule.first;
    const bool fits = name == from ||
                      (name.starts_with(from) && (from.ends_with('.') || name[from.size()] == '.'));
    if (fits && (best == nullptr || from.size() > best->first.size())) best = &rule;
  }
  return best == nullptr ? name : best->second + name.substr(best->first.size());
}

void append_names(std::string& message, const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return;
  message += "\n  " + std::string(title) + " (" + std::to_string(names.size()) + "): ";
  for (size_t i = 0; i < names.size() && i < kNamesShown; ++i)
    message += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kNamesShown)
    message += " and " + std::to_string(names.size() - kNamesShown) + " more";
}

at::Tensor read_tensor(const SafeTensorView& view, at::ScalarType type) {
  at::Tensor tensor = at::empty(view.shape, at::TensorOptions().dtype(type));
  if (view.bytes > 0) std::memcpy(tensor.mutable_data_ptr(), view.data, view.bytes);
  return tensor;
}

}  // namespace

void load_weights(ParameterSet& parameters, const std::filesystem::path& file,
                  const std::map<std::string, std::string>& rename) {
  const SafetensorsFile weights = SafetensorsFile::open(file);
  std::vector<std::string> missing, unexpected, wrong;
  std::map<std::string, const SafeTensorView*> found;
  for (const SafeTensorView& view : weights.tensors()) {
    if (view.name.ends_with("num_batches_tracked")) continue;
    const std::string name = renamed(view.name, rename);
    const Parameter* parameter = parameters.find(name);
    if (parameter == nullptr || !found.emplace(name, &view).second) {
      unexpected.push_back(view.name);
    } else if (parameter->master.sizes() != at::IntArrayRef(view.shape)) {
      wrong.push_back(name + " " + shape_text(view.shape) + " in the file, " +
                      shape_text(parameter->master.sizes()) + " in the model");
    } else if (!is_float(view.dtype)) {
      wrong.push_back(name + " is " + std::string(safe_dtype_name(view.dtype)) +
                      " in the file, not a float");
    }
  }
  for (const Parameter& parameter : parameters.all()) {
    if (found.count(parameter.name) == 0) missing.push_back(parameter.name);
  }
  if (!missing.empty() || !unexpected.empty() || !wrong.empty()) {
    std::string message = file.string() + ": these weights do not fit the " + parameters.owner();
    append_names(message, "missing", missing);
    append_names(message, "unexpected", unexpected);
    append_names(message, "wrongly shaped", wrong);
    throw DataError(message +
                    "\n  choose the options that the weights were trained with, or map prefixes: " +
                    "rename = { \"name in the file\" = \"name in the model\" }");
  }

  const c10::NoGradGuard without_gradients;
  for (const auto& [name, view] : found) {
    parameters.find(name)->master.copy_(read_tensor(*view, *scalar_type(view->dtype)));
  }
}

std::vector<NamedTensor> load_tensors(const std::filesystem::path& file) {
  const SafetensorsFile opened = SafetensorsFile::open(file);
  std::vector<NamedTensor> tensors;
  for (const SafeTensorView& view : opened.tensors()) {
    const std::optional<at::ScalarType> type = scalar_type(view.dtype);
    if (!type) {
      throw DataError(file.string() + ": " + view.name + " holds " +
                      std::string(safe_dtype_name(view.dtype)) +
                      "; write it as F32, F64, F16, BF16, I64, I32, U8 or BOOL");
    }
    tensors.emplace_back(view.name, read_tensor(view, *type));
  }
  return tensors;
}

std::vector<NamedTensor> named_weights(const ParameterSet& parameters) {
  std::vector<NamedTensor> tensors;
  for (const Parameter& parameter : parameters.all())
    tensors.emplace_back(parameter.name, parameter.master);
  return tensors;
}

void save_tensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                  const SafeMetadata& metadata) {
  std::vector<at::Tensor> kept;  // the views point into these
  std::vector<SafeTensorView> views;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
    kept.push_back(plain);
    SafeTensorView view;
    view.name = name;
    view.dtype = safe_dtype(plain.scalar_type());
    view.shape = plain.sizes().vec();
    view.data = static_cast<const uint8_t*>(plain.const_data_ptr());
    view.bytes = plain.nbytes();
    views.push_back(std::move(view));
  }
  write_safetensors(file, std::move(views), metadata);
}

}  // namespace retort::host
