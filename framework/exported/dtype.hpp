#pragma once

#include <c10/core/MemoryFormat.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

namespace retort::host::exported {

/// LibTorch's type of export's number. Throws: DataError for one that is not run.
c10::ScalarType find_dtype(int64_t number);

/// LibTorch's memory format of export's number. Throws: DataError.
c10::MemoryFormat find_memory_format(int64_t number);

}  // namespace retort::host::exported
