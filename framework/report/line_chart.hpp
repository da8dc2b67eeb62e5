#pragma once

#include <string>
#include <utility>
#include <vector>

namespace retort::host {

/// A named line of (epoch, value) points, by epoch.
struct Series {
  std::string name;
  std::vector<std::pair<int64_t, double>> points;
  size_t colour = 0;  // the same for the same name in all charts of a page
};

/// A chart over epochs as inline SVG, with a legend and, folded away, a table of its values. Points
/// tell theirs on hover. Colours are the page's CSS variables --c0 to --c5.
std::string line_chart(const std::string& title, const std::string& unit,
                       const std::vector<Series>& series);

}  // namespace retort::host
