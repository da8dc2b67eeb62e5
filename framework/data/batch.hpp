#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retort::host {

// The fields that the host knows by name.
inline constexpr const char* kImageField = "image";             // [N, C, H, W] float32, a view
inline constexpr const char* kLabelField = "label";             // [N] int64
inline constexpr const char* kIndexField = "index";             // [N] int64, position in the split
inline constexpr const char* kMixedLabelField = "label.mixed";  // [N] int64, of what is mixed in

/// One named tensor of a batch: its first dimension is the samples, each with `times` rows one
/// after the other.
struct Field {
  std::string name;
  at::Tensor tensor;
  int64_t times = 1;
};

/// The samples of one step, as named tensors on the CPU or a device. Two fields may be one tensor.
/// Threads: made by one, then used by one.
class Batch {
 public:
  /// Puts a field behind those there are.
  /// Throws: std::logic_error for a name that is taken, or another number of samples.
  void put(std::string name, at::Tensor tensor, int64_t times = 1);

  /// Throws: std::logic_error that lists the fields, where there is none of that name.
  const at::Tensor& at(std::string_view name) const;
  /// Null where there is none.
  const at::Tensor* find(std::string_view name) const;
  const std::vector<Field>& fields() const { return fields_; }
  /// The number of samples.
  int64_t size() const {
    return fields_.empty() ? 0 : fields_.front().tensor.size(0) / fields_.front().times;
  }

  /// The fields of these names on a device, those that are one tensor as one, so that it is copied
  /// once. Does not wait for the copies.
  Batch to(at::Device device, std::span<const std::string> names) const;
  /// Samples [first, first + count) of all fields, in the same memory.
  Batch narrow(int64_t first, int64_t count) const;

  /// Each sample is `share` of its own and 1 - share of one whose label is in kMixedLabelField. Where
  /// nothing is mixed it is 1, and there is no such field.
  double share = 1;

  /// Whether (seed, view, epoch, index) alone gives each view again: not where samples are mixed.
  bool addressable() const { return find(kMixedLabelField) == nullptr; }

 private:
  const Field* find_field(std::string_view name) const;
  const Field& field_at(std::string_view name) const;

  std::vector<Field> fields_;
};

}  // namespace retort::host
