#pragma once

#include <string>
#include <vector>

#include "framework/config/node.hpp"

namespace retort::host::config {

/// A key's value in a file, and where it stands there: "train.optimizer.lr", "0.05".
struct Leaf {
  Place place;
  std::string key;
  std::string value;
};

/// The values of a tree, in the order of the file: tables, and lists of tables, are split into their
/// keys, so that two trees differ by a value.
std::vector<Leaf> find_leaves(const Node& tree);

}  // namespace retort::host::config
