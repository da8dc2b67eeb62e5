#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "framework/config/component.hpp"
#include "framework/config/keys/normalize.hpp"
#include "framework/config/keys/train.hpp"

namespace retort::host {

struct NetworkConfig {
  ComponentChoice model;
  std::optional<std::filesystem::path>
      weights;  // absolute, or relative to the experiment file (resolved here)
  Place weights_place;
  std::map<std::string, std::string> rename;  // prefix in the file -> prefix in the model
  std::optional<Normalize> normalize;
  TrainConfig train;  // [train], overridden key by key by [teacher].train
};

}  // namespace retort::host

namespace retort::host::config {

enum class NetworkRole { Teacher, Student };

/// [teacher] or [student]. `network.train` holds [train]; only a teacher may override it.
void read_network(Section section, NetworkRole role, const Catalog& catalog,
                  NetworkConfig& network);

std::string write_network(NetworkRole role, const NetworkConfig& network);

}  // namespace retort::host::config
