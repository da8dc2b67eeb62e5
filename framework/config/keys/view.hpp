#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/config/keys/augment.hpp"
#include "framework/config/name_list.hpp"
#include "framework/config/place.hpp"
#include "framework/config/section.hpp"

namespace retort::host {

/// The view that [data] itself describes.
inline constexpr const char* kDefaultView = "default";

/// One [data.views.NAME]: another chain of augmentation over the same samples.
struct ViewConfig {
  std::string name;
  std::string like;  // the view whose augmentation and draws it shares; "": draws of its own
  std::vector<Augment> augment;  // that of the view it is like, where it is like one
  int64_t size = 0;              // height and width after augmentation; 0: the data's
  int64_t times = 1;             // copies of each sample
  Place place;
};

}  // namespace retort::host

namespace retort::host::config {

/// [data.views.NAME], all of them. `of_data` is the augmentation of the default view.
void read_views(Section section, const std::vector<Augment>& of_data,
                std::vector<ViewConfig>& views);

/// Adds a view's name. One that cannot be given, "" or that of the default view, hides what was meant.
void add_view_name(const std::string& name, KnownNames& known);

std::string write_views(const std::vector<ViewConfig>& views);

}  // namespace retort::host::config
