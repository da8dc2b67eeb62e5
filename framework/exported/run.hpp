#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <string>
#include <vector>

#include "framework/exported/code.hpp"
#include "framework/exported/draws.hpp"

namespace retort::host::exported {

/// Values of a run that are kept beside its outputs, by slot.
struct KeptValues {
  struct Entry {
    int slot = -1;
    bool copied = false;  // since something later writes to it
    at::Tensor value;     // of the run; undefined where the slot holds no tensor
    int64_t version = 0;  // of the value when it was made
  };
  std::vector<Entry> entries;  // of different slots
};

/// What a run is told beside its inputs. All may be null.
struct RunSettings {
  const NamedDraws* draws = nullptr;
  KeptValues* kept = nullptr;
  int64_t* multiply_adds = nullptr;  // what the run counts is added
};

/// Runs a program's code: each instruction in its order, through LibTorch's dispatcher, so that
/// gradients are recorded as the calling thread's mode says. Values are freed after their last use.
/// `where` begins messages, which name the node.
/// Throws: what LibTorch refuses, as a ShapeError; EnvironmentError where memory ran out.
std::vector<c10::IValue> run(const Code& code, std::vector<c10::IValue> inputs,
                             const RunSettings& settings, const std::string& where);

}  // namespace retort::host::exported
