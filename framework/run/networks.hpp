#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/run/failures.hpp"
#include "framework/run/session.hpp"

namespace retort::host {

/// The networks of an experiment by name, and its transfers.
struct Networks {
  std::map<std::string, std::unique_ptr<Network>> by_name;  // not frozen
  std::vector<std::shared_ptr<Transfer>> transfers;         // in the file's order

  /// Throws: std::logic_error where it was not made.
  Network& at(const std::string& name) const;
};

/// Builds the networks, with the weights that the experiment names, and sets the transfers up. Each
/// step that can be tried though another failed is tried: options that only a model knows to be
/// wrong, weights, every tap of every binding and of what phases learn, what each strategy says in
/// setup().
/// Throws: Failures::throw_if_any().
Networks make_networks(const Session& session);

/// Adds what make_networks() would throw.
void collect_failures_of_networks(const Session& session, Failures& failures);

}  // namespace retort::host
