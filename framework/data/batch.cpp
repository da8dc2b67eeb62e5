#include "framework/data/batch.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace retort::host {

void Batch::put(std::string name, at::Tensor tensor, int64_t times) {
  if (find(name) != nullptr) throw std::logic_error("a batch has two fields \"" + name + "\"");
  const int64_t rows = tensor.size(0), samples = fields_.empty() ? rows / times : size();
  if (rows != samples * times) {
    throw std::logic_error("the field \"" + name + "\" has " + std::to_string(rows) +
                           (times == 1 ? "" : " rows for " + std::to_string(times) + " copies of") +
                           " samples, and the batch " + std::to_string(samples));
  }
  fields_.push_back({std::move(name), std::move(tensor), times});
}

const Field* Batch::find_field(std::string_view name) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const Field& field) { return field.name == name; });
  return found == fields_.end() ? nullptr : &*found;
}

const at::Tensor* Batch::find(std::string_view name) const {
  const Field* field = find_field(name);
  return field == nullptr ? nullptr : &field->tensor;
}

const Field& Batch::field_at(std::string_view name) const {
  if (const Field* field = find_field(name)) return *field;
  std::string text = "a batch has no field \"" + std::string(name) + "\"; it has";
  for (const Field& field : fields_) text += " " + field.name;
  throw std::logic_error(text);
}

const at::Tensor& Batch::at(std::string_view name) const { return field_at(name).tensor; }

Batch Batch::to(at::Device device, std::span<const std::string> names) const {
  Batch moved;
  moved.share = share;
  for (const std::string& name : names) {
    const Field& field = field_at(name);
    const auto same =
        std::find_if(moved.fields_.begin(), moved.fields_.end(),
                     [&](const Field& done) { return at(done.name).is_same(field.tensor); });
    moved.put(
        name,
        same != moved.fields_.end() ? same->tensor : field.tensor.to(device, /*non_blocking=*/true),
        field.times);
  }
  return moved;
}

Batch Batch::narrow(int64_t first, int64_t count) const {
  Batch part;
  part.share = share;
  for (const Field& field : fields_) {
    part.put(field.name, field.tensor.narrow(0, first * field.times, count * field.times),
             field.times);
  }
  return part;
}

}  // namespace retort::host
