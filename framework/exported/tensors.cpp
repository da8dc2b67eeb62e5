#include "framework/exported/tensors.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/exported/dtype.hpp"
#include "framework/io/safe_text.hpp"

namespace retort::host::exported {
namespace {

constexpr const char* kRemedy = "; the file is damaged: export the network again";

/// a * b + c, or -1 where that is more than any storage has.
int64_t multiply_add(int64_t a, int64_t b, int64_t c) {
  int64_t product = 0, sum = 0;
  if (a < 0 || __builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &sum))
    return -1;
  return sum;
}

/// Elements of a tensor, and how many of its storage it reaches over; -1 for too many to count.
struct Reach {
  int64_t elements = 1;
  int64_t extent = 1;
};

Reach find_reach(const StoredTensor& tensor) {
  Reach reach;
  reach.extent = multiply_add(1, 1, tensor.storage_offset);
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    reach.elements = multiply_add(reach.elements, tensor.sizes[i], 0);
    if (tensor.sizes[i] > 0 && reach.extent >= 0) {
      const int64_t step = multiply_add(tensor.sizes[i] - 1, tensor.strides[i], 0);
      reach.extent = step < 0 ? -1 : multiply_add(1, step, reach.extent);
    }
  }
  if (reach.elements == 0) reach.extent = 0;
  return reach;
}

/// Reads the tensors of one table.
class TensorReader {
 public:
  TensorReader(const Archive& archive, std::string folder)
      : archive_(archive), folder_(std::move(folder)) {}

  std::vector<NamedValue> read(const std::string& table) {
    const std::string where = archive_.file().string() + ": " + table;
    for (const StoredTensor& tensor : read_tensor_table(archive_.text(table), where)) add(tensor);
    check_shared_memory();
    return std::move(values_);
  }

 private:
  using Place = std::tuple<std::string, std::vector<int64_t>, std::vector<int64_t>, int64_t>;

  [[noreturn]] void refuse(const StoredTensor& tensor, const std::string& what) const {
    throw DataError(archive_.file().string() + ": tensor " + safe_line(tensor.name) + " " + what +
                    kRemedy);
  }

  void add(const StoredTensor& tensor) {
    const Place place = {tensor.member, tensor.sizes, tensor.strides, tensor.storage_offset};
    if (const auto known = places_.find(place); known != places_.end()) {
      NamedValue& value = values_[known->second];
      if (value.value.scalar_type() != find_dtype(tensor.dtype))
        refuse(tensor,
               "has another type than " + safe_line(value.names.front()) + ", whose memory it is");
      value.names.push_back(tensor.name);
      value.is_parameter = value.is_parameter || tensor.is_parameter;
      value.requires_grad = value.requires_grad || tensor.requires_grad;
      return;
    }
    places_[place] = values_.size();
    values_.push_back(
        {{tensor.name}, tensor.is_parameter, tensor.requires_grad, make_tensor(tensor)});
  }

  at::Tensor make_tensor(const StoredTensor& tensor) {
    const at::ScalarType type = find_dtype(tensor.dtype);
    const at::Tensor& storage = find_storage(tensor, type);
    const Reach reach = find_reach(tensor);
    const bool fits = reach.elements >= 0 && reach.extent >= 0 && reach.extent <= storage.numel() &&
                      reach.elements <= std::max<int64_t>(storage.numel(), 1);
    if (!fits)
      refuse(tensor, shape_text(tensor.sizes) + " with strides " + shape_text(tensor.strides) +
                         " from " + std::to_string(tensor.storage_offset) +
                         " does not lie in its storage of " + std::to_string(storage.numel()) +
                         " elements");
    // No view: matmul takes another kernel for a parameter that is one.
    return at::empty({0}, at::TensorOptions().dtype(type))
        .set_(storage.storage(), tensor.storage_offset, tensor.sizes, tensor.strides);
  }

  /// A copy of a storage's bytes; types of one storage are of one size.
  const at::Tensor& find_storage(const StoredTensor& tensor, at::ScalarType type) {
    at::Tensor& storage = storages_[{tensor.member, type}];
    if (storage.defined()) return storage;
    const auto bytes = archive_.bytes(folder_ + tensor.member);
    const size_t size = c10::elementSize(type);
    if (bytes.size() % size != 0)
      refuse(tensor, "has a storage of " + std::to_string(bytes.size()) +
                         " bytes, which is no whole number of elements");
    storage =
        at::empty({static_cast<int64_t>(bytes.size() / size)}, at::TensorOptions().dtype(type));
    if (!bytes.empty()) std::memcpy(storage.mutable_data_ptr(), bytes.data(), bytes.size());
    return storage;
  }

  /// One memory under two shapes would be updated twice.
  void check_shared_memory() const {
    std::map<const void*, const NamedValue*> owners;
    for (const NamedValue& value : values_) {
      if (!value.is_parameter || value.value.numel() == 0) continue;
      const void* memory = value.value.storage().data();
      const auto [other, first] = owners.emplace(memory, &value);
      if (first) continue;
      throw DataError(archive_.file().string() + ": the parameters " +
                      safe_line(other->second->names.front()) + " and " +
                      safe_line(value.names.front()) +
                      " share memory in part; clone one of them before the export");
    }
  }

  const Archive& archive_;
  std::string folder_;
  std::vector<NamedValue> values_;
  std::map<Place, size_t> places_;
  std::map<std::pair<std::string, at::ScalarType>, at::Tensor> storages_;
};

}  // namespace

std::vector<NamedValue> read_weights(const Archive& archive) {
  return TensorReader(archive, "data/weights/").read("data/weights/model_weights_config.json");
}

std::vector<NamedValue> read_constants(const Archive& archive) {
  return TensorReader(archive, "data/constants/")
      .read("data/constants/model_constants_config.json");
}

}  // namespace retort::host::exported
