#pragma once

#include <map>
#include <string>

#include "framework/config/experiment.hpp"

namespace retort::host {

/// The values of a resolved experiment by key: "train.optimizer.lr" is "0.05".
using Settings = std::map<std::string, std::string>;

/// Those of a text, also of one that an older version wrote; empty where it is no TOML.
Settings read_settings(const std::string& toml);

// What makes two runs the same experiment must outlive the schema: a key that a later version adds is
// not in what earlier ones wrote. So what is compared, or hashed, are the values that are not defaults.

/// The defaults of an experiment of these components, whose ids are no defaults.
Settings make_default_settings(const Experiment& experiment);

/// Without the values that are defaults, and without keys that change no result: run.out,
/// run.tensorboard, run.checkpoint_steps.
Settings make_identity(const Settings& settings, const Settings& defaults);

/// An identity as text to be hashed, with the version of the form. A change of a default makes another
/// version.
std::string write_identity(const Settings& identity);

/// What decides about the bits of a run, all keys. Left out are its name, where it writes, the machine,
/// and what is compared by content: the data set's options and the files of weights.
Settings make_recipe(const Experiment& experiment);

}  // namespace retort::host
