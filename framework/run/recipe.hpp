#pragma once

#include <map>
#include <string>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// What an experiment says that decides about the bits of a run, by key: "train.optimizer.lr" is
/// "0.05". Left out are its name, where it writes, the machine, and what is compared by content: the
/// data set's options and the files of weights.
std::map<std::string, std::string> make_recipe(const Experiment& experiment);

}  // namespace retort::host
