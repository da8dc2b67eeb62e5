#pragma once

#include <string>

#include "framework/plugin/catalog.hpp"

namespace retort::host {

/// The page of docs/ that lists the strategies or the models: a Markdown table of what their
/// manifests declare, by family. Runs no plugin code.
std::string reference_page(const Catalog& catalog, retort_kind kind);

}  // namespace retort::host
