#include "framework/train/weights.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/train/weight_values.hpp"

namespace retort::host {
namespace {

constexpr size_t kNamesShown = 12;

// PyTorch's count of the batches that a batch norm has seen, on which nothing here depends.
constexpr const char* kBatchCount = "num_batches_tracked";

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
    case SafeDtype::I16:
      return at::kShort;
    case SafeDtype::I8:
      return at::kChar;
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

/// The type that a tensor has in a file; nothing for one that could not be read again.
std::optional<SafeDtype> safe_dtype(at::ScalarType type) {
  for (int number = 0; number <= static_cast<int>(SafeDtype::U64); ++number) {
    const auto dtype = static_cast<SafeDtype>(number);
    if (scalar_type(dtype) == type) return dtype;
  }
  return std::nullopt;
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

/// The tensors of a file by their names in the model, and all that does not fit.
struct Match {
  std::map<std::string, const SafeTensorView*> found;
  std::vector<std::string> missing, unexpected, twice, shapes, types;
};

/// Whether a second tensor for a parameter is the same weights under a name that is tied to the first's.
bool are_tied(const Parameter& parameter, const SafeTensorView& first,
              const SafeTensorView& second) {
  return !parameter.tied.empty() && first.name != second.name && first.bytes == second.bytes &&
         first.dtype == second.dtype && std::memcmp(first.data, second.data, first.bytes) == 0;
}

Match match_names(ParameterSet& parameters, const SafetensorsFile& weights,
                  const RenameRules& rename) {
  Match match;
  for (const SafeTensorView& view : weights.tensors()) {
    const std::string given = rename_weight(view.name, rename);
    const Parameter* parameter = parameters.find(given);
    if (parameter == nullptr && view.name.ends_with(kBatchCount)) continue;
    const std::string& name = parameter == nullptr ? given : parameter->name;
    if (parameter == nullptr) {
      match.unexpected.push_back(view.name);
    } else if (const auto [other, first] = match.found.emplace(name, &view); !first) {
      if (!are_tied(*parameter, *other->second, view))
        match.twice.push_back(name + " from " + other->second->name + " and " + view.name);
    } else if (parameter->master.sizes() != at::IntArrayRef(view.shape)) {
      match.shapes.push_back(name + " " + shape_text(view.shape) + " in the file, " +
                             shape_text(parameter->master.sizes()) + " in the model");
    } else if (is_float(view.dtype) != parameter->master.is_floating_point()) {
      match.types.push_back(name + " is " + std::string(safe_dtype_name(view.dtype)));
    }
  }
  for (const Parameter& parameter : parameters.all()) {
    if (match.found.count(parameter.name) == 0 && !parameter.name.ends_with(kBatchCount))
      match.missing.push_back(parameter.name);
  }
  return match;
}

std::vector<std::string> list_names(const SafetensorsFile& weights) {
  std::vector<std::string> names;
  for (const SafeTensorView& view : weights.tensors()) names.push_back(view.name);
  return names;
}

void check_match(const Match& match, const std::string& file, const std::string& owner,
                 const std::vector<std::string>& unused_rules) {
  const bool names_fit = match.missing.empty() && match.unexpected.empty() && match.twice.empty();
  if (names_fit && match.shapes.empty() && match.types.empty()) return;
  std::string message = file + ": these weights do not fit the " + owner;
  if (match.found.empty() && match.unexpected.empty())
    message += "; the file holds no tensor of it";
  append_names(message, "missing", match.missing);
  append_names(message, "unexpected", match.unexpected);
  append_names(message, "two of one name", match.twice);
  append_names(message, "wrongly shaped", match.shapes);
  append_names(message, "of a type that is not read", match.types);
  for (const std::string& rule : unused_rules) message += "\n  rename: " + rule;
  if (!match.types.empty()) {
    message +=
        "\n  weights are read from F32, F64, F16 and BF16: convert the others, as with "
        "tensor.to(torch.float32)";
  }
  if (!names_fit || !match.shapes.empty()) {
    message +=
        "\n  choose the options that the weights were trained with, or map prefixes: rename = "
        "{ \"name in the file\" = \"name in the model\" }";
  }
  throw DataError(message);
}

/// Reads the matched tensors, which must hold numbers that a network can use.
std::map<std::string, at::Tensor> read_values(const Match& match, const std::string& file) {
  std::map<std::string, at::Tensor> values;
  std::vector<std::string> unusable;
  for (const auto& [name, view] : match.found) {
    const at::Tensor& tensor = values[name] = read_tensor(*view, *scalar_type(view->dtype));
    const std::string text = describe_unusable(view->name, tensor);
    if (!text.empty()) unusable.push_back(text);
  }
  if (unusable.empty()) return values;
  std::string message = file + ": no network can compute with these weights: ";
  for (size_t i = 0; i < unusable.size() && i < kNamesShown; ++i) {
    message += (unusable.size() == 1 ? "" : "\n  ") + unusable[i];
  }
  if (unusable.size() > kNamesShown) {
    message += "\n  and " + std::to_string(unusable.size() - kNamesShown) + " more tensors";
  }
  throw DataError(message + (unusable.size() == 1 ? "; " : "\n  ") +
                  "fetch the file again, or train anew with a lower learning rate");
}

}  // namespace

void load_weights(ParameterSet& parameters, const std::filesystem::path& file,
                  const RenameRules& rename) {
  const SafetensorsFile weights = SafetensorsFile::open(file);
  const Match match = match_names(parameters, weights, rename);
  check_match(match, file.string(), parameters.owner(),
              find_unused_rules(list_names(weights), rename));
  const c10::NoGradGuard without_gradients;
  for (const auto& [name, values] : read_values(match, file.string())) {
    parameters.find(name)->master.copy_(values);
  }
}

std::vector<std::string> find_unused_rules(const std::filesystem::path& file,
                                           const RenameRules& rename) {
  if (rename.empty()) return {};
  return find_unused_rules(list_names(SafetensorsFile::open(file)), rename);
}

std::vector<NamedTensor> load_tensors(const std::filesystem::path& file) {
  const SafetensorsFile opened = SafetensorsFile::open(file);
  std::vector<NamedTensor> tensors;
  for (const SafeTensorView& view : opened.tensors()) {
    const std::optional<at::ScalarType> type = scalar_type(view.dtype);
    if (!type) {
      throw DataError(file.string() + ": " + view.name + " holds " +
                      std::string(safe_dtype_name(view.dtype)) +
                      "; write it as F32, F64, F16, BF16, I64, I32, I16, I8, U8 or BOOL");
    }
    tensors.emplace_back(view.name, read_tensor(view, *type));
  }
  return tensors;
}

std::vector<NamedTensor> named_weights(const ParameterSet& parameters) {
  std::vector<NamedTensor> tensors;
  for (const Parameter& parameter : parameters.all()) {
    tensors.emplace_back(parameter.name, parameter.master);
    for (const std::string& name : parameter.tied) tensors.emplace_back(name, parameter.master);
  }
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
    const std::optional<SafeDtype> dtype = safe_dtype(plain.scalar_type());
    if (!dtype) {
      throw DataError(file.string() + ": " + name + " is a tensor of " +
                      at::toString(plain.scalar_type()) +
                      ", which these files do not hold; convert it to float32");
    }
    view.dtype = *dtype;
    view.shape = plain.sizes().vec();
    view.data = static_cast<const uint8_t*>(plain.const_data_ptr());
    view.bytes = plain.nbytes();
    views.push_back(std::move(view));
  }
  write_safetensors(file, std::move(views), metadata);
}

}  // namespace retort::host
