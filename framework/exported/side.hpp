#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/exported/code.hpp"
#include "framework/exported/compile.hpp"
#include "framework/exported/schema.hpp"
#include "framework/exported/taps.hpp"

namespace retort::host::exported {

/// A program's graph of one mode, ready to run, with its taps.
struct Side {
  Code code;
  std::vector<InputSpec> inputs;
  std::map<std::string, int> taps;     // by name: their slots
  std::vector<std::string> tap_names;  // in the order in which they are made
  // Slots of taps that a later operator writes to, which are copied as they are made; known once a
  // pass has looked.
  std::set<int> overwritten;
  bool looked = false;
};

/// Throws: DataError that begins with `where`, as compile().
Side make_side(const ProgramText& text, Evaluation evaluation, c10::Device device,
               const std::string& where);

/// What a graph was exported in, as its operators tell: those of dropout and batch norm are told whether
/// they train, and training counts in buffers. Neither is a graph without any.
struct GraphModes {
  bool trains = false;
  bool evaluates = false;
  bool draws_rand = false;  // a drop path that evaluation cannot be made of
};
GraphModes find_modes(const Side& side);

}  // namespace retort::host::exported
