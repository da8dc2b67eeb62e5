#pragma once

#include <string>

#include "framework/config/name_list.hpp"
#include "framework/config/section.hpp"

namespace retort::host {
struct Experiment;
struct TransferConfig;
}  // namespace retort::host

namespace retort::host::config {

/// The names of networks. They are not whole where some stand below a misspelt key, a student has
/// the name of a teacher, or there is no student, either.
struct NetworkNames {
  KnownNames students, teachers;

  bool are_whole() const { return students.whole && teachers.whole; }
};

NetworkNames know_networks(const Node& root, const Experiment& experiment,
                           const Diagnostics& diagnostics);

// Who learns from whom, on which views:
//   student = "a"; teacher = "big" or ["big", "wide"]; view = "x" or { student = .., teacher = .. }

/// Takes these keys from a [[transfer]]; they can be read once its networks are known.
void take_sides(Section& transfer);

/// Reads them for all transfers of the experiment, which has its networks.
void read_sides(Section& root, Experiment& experiment);

/// Their lines, where they are not what they would be without them.
std::string write_sides(const TransferConfig& transfer, const Experiment& experiment);

}  // namespace retort::host::config
