#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "framework/bridge/scope.hpp"
#include "framework/plugin/instance.hpp"
#include "tests/plugins/components.hpp"

namespace retort::test {

/// A data set of a built plugin, opened as the host opens it.
class DatasetRig {
 public:
  DatasetRig(const std::string& id, const Options& options);

  const retort_dataset_info& info() const { return info_; }

  struct Samples {
    std::vector<uint8_t> pixels;
    std::vector<int64_t> labels;
  };
  Samples read(retort_split split, int64_t first, int64_t count);

 private:
  host::ComponentChoice choice_;
  host::Scope scope_;
  std::unique_ptr<host::Instance> instance_;
  const retort_dataset_interface* functions_;
  retort_dataset_info info_{};
};

/// The message of the DataError that opening a data set throws; "" when it opens.
std::string open_failure(const std::string& id, const Options& options);

}  // namespace retort::test
