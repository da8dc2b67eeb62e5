#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/section.hpp"

namespace retort::host::config {

/// The names of an enum's values in an experiment file, in the order of the enum: one table for who
/// reads the key and who writes it.
///   constexpr EnumNames<Precision, 2> kPrecisionNames = {{"fp32", "bf16"}};
template <class Enum, size_t kCount>
struct EnumNames {
  std::array<const char*, kCount> names;

  constexpr const char* operator[](Enum value) const {
    return names.at(static_cast<size_t>(value));
  }

  std::vector<std::string> list() const { return {names.begin(), names.end()}; }

  /// Reads the key, as Section::choice.
  const Node* read(Section& section, const std::string& key, Enum& value,
                   const std::string& help) const {
    auto position = static_cast<int64_t>(value);
    const Node* node = section.choice(key, list(), position, help);
    value = static_cast<Enum>(position);
    return node;
  }
};

}  // namespace retort::host::config
