#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/config/component.hpp"
#include "framework/config/keys/augment.hpp"
#include "framework/config/keys/normalize.hpp"
#include "framework/config/keys/view.hpp"
#include "framework/config/name_list.hpp"

namespace retort::host {

struct DataConfig {
  ComponentChoice dataset;
  int64_t batch_size = 128;
  std::vector<Augment> augment;
  std::vector<ViewConfig> views;       // beside the default one
  bool are_views_read = true;          // false: what [data.views] should be is not known
  std::optional<Normalize> normalize;  // the dataset's own where absent
  int64_t train_samples = 0;           // only the first ones of the training split; 0: all
  double validation = 0;  // share of the training split held out to choose the best epoch; 0: none
  double mixup = 0;       // alpha of Beta(alpha, alpha); 0: none
  double cutmix = 0;      // alpha; with both, each batch gets one or the other

  /// The view of that name; null for the default one, and where there is none.
  const ViewConfig* find_view(std::string_view view) const;
};

}  // namespace retort::host

namespace retort::host::config {

/// [data]
void read_data(Section section, const Catalog& catalog, DataConfig& data);

std::string write_data(const DataConfig& data);

/// "default", and the names of the other views.
KnownNames list_views(const DataConfig& data);

}  // namespace retort::host::config
