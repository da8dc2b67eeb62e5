#include "framework/data/batch.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace retort::host {

void Batch::put(std::string name, at::Tensor tensor) {
  if (find(name) != nullptr) throw std::logic_error("a batch has two fields \"" + name + "\"");
  if (!fields_.empty() && tensor.size(0) != size()) {
    throw std::logic_error("the field \"" + name + "\" has " + std::to_string(tensor.size(0)) +
                           " samples, and the batch " + std::to_string(size()));
  }
  fields_.push_back({std::move(name), std::move(tensor)});
}

const at::Tensor* Batch::find(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const Field& field) { return field.name == name; });
  return found == fields_.end() ? nullptr : &found->tensor;
}

const at::Tensor& Batch::at(std::string_view name) const {
  if (const at::Tensor* tensor = find(name)) return *tensor;
  std::string text = "a batch has no field \"" + std::string(name) + "\"; it has";
  for (const Field& field : fields_) text += " " + field.name;
  throw std::logic_error(text);
}

Batch Batch::to(at::Device device, std::span<const std::string> names) const {
  Batch moved;
  moved.share = share;
  for (const std::string& name : names) {
    const at::Tensor& tensor = at(name);
    const auto same =
        std::find_if(moved.fields_.begin(), moved.fields_.end(),
                     [&](const Field& field) { return at(field.name).is_same(tensor); });
    moved.put(name, same != moved.fields_.end() ? same->tensor
                                                : tensor.to(device, /*non_blocking=*/true));
  }
  return moved;
}

}  // namespace retort::host
