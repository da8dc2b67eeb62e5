#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "framework/train/network.hpp"
#include "tests/plugins/components.hpp"

namespace retort::test {

/// A model of a built plugin, built as the trainer builds it.
inline std::unique_ptr<host::Network> build_model(const std::string& id, const Options& options,
                                                  const host::InputShape& input) {
  host::NetworkConfig config;
  config.model = choose(RETORT_KIND_MODEL, id, options);
  return host::build_network("student", config, input, host::Placement{}, 1);
}

/// Elements of the trained parameters.
inline int64_t parameter_count(const std::string& id, const Options& options,
                               const host::InputShape& input) {
  return build_model(id, options, input)->parameters().parameter_count();
}

/// [count, 3, 32, 32], every pixel another.
at::Tensor images(int64_t count);

/// Whether every trained parameter has a finite gradient that is not all zero.
void expect_gradient_everywhere(host::Network& network);

/// "stem [1, 16, 32, 32]" for every tap, one a line, in the order of publication.
std::string taps_text(host::Network& network);

}  // namespace retort::test
