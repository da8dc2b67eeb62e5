#include "framework/exported/dtype.hpp"

#include <array>
#include <string>

#include "framework/base/error.hpp"

namespace retort::host::exported {

c10::ScalarType find_dtype(int64_t number) {
  using c10::ScalarType;
  // Those of PyTorch's torch/_export/serde/schema.py, from 1 on. They are not c10's own numbers.
  constexpr std::array kTypes = {
      ScalarType::Byte,         ScalarType::Char,          ScalarType::Short,
      ScalarType::Int,          ScalarType::Long,          ScalarType::Half,
      ScalarType::Float,        ScalarType::Double,        ScalarType::ComplexHalf,
      ScalarType::ComplexFloat, ScalarType::ComplexDouble, ScalarType::Bool,
      ScalarType::BFloat16};
  if (number < 1 || number > static_cast<int64_t>(kTypes.size()))
    throw DataError("a tensor of the element type number " + std::to_string(number) +
                    ", which is not run; convert it to float32");
  return kTypes[static_cast<size_t>(number) - 1];
}

c10::MemoryFormat find_memory_format(int64_t number) {
  using c10::MemoryFormat;
  constexpr std::array kFormats = {MemoryFormat::Contiguous, MemoryFormat::ChannelsLast,
                                   MemoryFormat::ChannelsLast3d, MemoryFormat::Preserve};
  if (number < 1 || number > static_cast<int64_t>(kFormats.size()))
    throw DataError("a memory format of the number " + std::to_string(number) +
                    ", which there is not");
  return kFormats[static_cast<size_t>(number) - 1];
}

}  // namespace retort::host::exported
