#pragma once

#include <memory>
#include <vector>

#include "framework/run/failures.hpp"
#include "framework/run/session.hpp"

namespace retort::host {

/// The networks of an experiment, and its transfers set up for them.
struct Networks {
  std::unique_ptr<Network> teacher;  // null where there is none; not frozen
  std::unique_ptr<Network> student;
  std::vector<std::shared_ptr<Transfer>> transfers;
};

/// Builds the networks, with the weights that the experiment names, and sets the transfers up. Each
/// step that can be tried though another failed is tried: options that only a model knows to be
/// wrong, weights, every tap of every binding, what each strategy says in setup().
/// Throws: Failures::throw_if_any().
Networks make_networks(const Session& session);

/// Adds what make_networks() would throw.
void collect_failures_of_networks(const Session& session, Failures& failures);

}  // namespace retort::host
