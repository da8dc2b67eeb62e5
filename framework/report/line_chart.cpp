#include "framework/report/line_chart.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "framework/io/markup.hpp"

namespace retort::host {
namespace {

constexpr double kWidth = 400, kHeight = 230, kLeft = 44, kRight = 392, kTop = 10, kBottom = 196;
constexpr int64_t kTicks = 5;
constexpr size_t kColours = 6;

/// 1, 2 or 5 times a power of ten, so that about kTicks of them span the range.
double nice_step(double range) {
  const double raw = range / static_cast<double>(kTicks);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

/// Where values lie in the picture.
struct Axes {
  double first = 1, last = 1;  // epochs
  double low = 0, high = 1, step = 0.2;

  explicit Axes(const std::vector<Series>& series) {
    bool any = false;
    for (const Series& line : series) {
      for (const auto& [epoch, value] : line.points) {
        last = std::max(last, static_cast<double>(epoch));
        low = any ? std::min(low, value) : value;
        high = any ? std::max(high, value) : value;
        any = true;
      }
    }
    if (high - low < 1e-9 * std::max(1.0, std::abs(high))) {
      const double margin = std::max(std::abs(high) * 0.1, 1e-3);
      low -= margin;
      high += margin;
    }
    step = nice_step(high - low);
    low = std::floor(low / step) * step;
    high = std::ceil(high / step) * step;
  }

  double x(double epoch) const {
    if (last == first) return (kLeft + kRight) / 2;
    return kLeft + (kRight - kLeft) * (epoch - first) / (last - first);
  }
  double y(double value) const { return kBottom - (kBottom - kTop) * (value - low) / (high - low); }
};

std::string grid(const Axes& axes) {
  std::string svg;
  const auto lines = static_cast<int64_t>(std::lround((axes.high - axes.low) / axes.step));
  for (int64_t i = 0; i <= lines; ++i) {
    double value = axes.low + static_cast<double>(i) * axes.step;
    if (std::abs(value) < axes.step * 1e-6) value = 0;
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.4g}</text>",
        kLeft, kRight, axes.y(value), kLeft - 5, axes.y(value) + 4, value);
  }
  const double every = std::max(1.0, nice_step(std::max(axes.last - axes.first, 1.0)));
  double at = axes.first;
  while (at <= axes.last) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.0f}</text>",
                       axes.x(at), kBottom + 16, at);
    at = (std::floor(at / every) + 1) * every;
  }
  return svg + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">epoch</text>",
                           (kLeft + kRight) / 2, kHeight - 3);
}

/// The colour by number; lines beyond the sixth are dashed.
std::string style_of(size_t number) {
  return fmt::format("style=\"--c:var(--c{}){}\"", number % kColours,
                     number < kColours ? "" : ";stroke-dasharray:5 3");
}

std::string line_of(const Axes& axes, const Series& series) {
  std::string corners, dots;
  for (const auto& [epoch, value] : series.points) {
    const double x = axes.x(static_cast<double>(epoch)), y = axes.y(value);
    corners += fmt::format("{}{:.1f},{:.1f}", corners.empty() ? "" : " ", x, y);
    dots += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{}, epoch {}: {:.5g}</title></circle>",
        x, y, series.points.size() > 40 ? 2 : 3, escaped(series.name), epoch, value);
  }
  return element("g", "<polyline points=\"" + corners + "\"/>" + dots, style_of(series.colour));
}

std::string table_of(const std::vector<Series>& series) {
  std::string head = element("th", "epoch");
  std::map<int64_t, std::vector<std::string>> rows;
  for (size_t i = 0; i < series.size(); ++i) {
    head += element("th", escaped(series[i].name));
    for (const auto& [epoch, value] : series[i].points) {
      auto& row = rows[epoch];
      row.resize(series.size());
      row[i] = fmt::format("{:.5g}", value);
    }
  }
  std::string body;
  for (const auto& [epoch, cells] : rows) {
    std::string row = element("th", std::to_string(epoch));
    for (const std::string& cell : cells) row += element("td", cell);
    body += element("tr", row);
  }
  const std::string table =
      element("table", element("thead", element("tr", head)) + element("tbody", body));
  return element("details", element("summary", "Values") +
                                element("div", table, "class=\"scroll tall\" tabindex=\"0\""));
}

}  // namespace

std::string line_chart(const std::string& title, const std::string& unit,
                       const std::vector<Series>& series) {
  std::vector<Series> drawn;
  for (const Series& line : series) {
    drawn.push_back({line.name, {}, line.colour});
    for (const auto& point : line.points) {
      // Beyond that, no axis is found for the difference of two.
      if (std::abs(point.second) <= 1e300) drawn.back().points.push_back(point);
    }
  }
  const Axes axes(drawn);
  std::string lines, legend;
  for (const Series& line : drawn) {
    lines += line_of(axes, line);
    legend += element("span", escaped(line.name), "class=\"key\" " + style_of(line.colour));
  }
  const std::string svg =
      element("svg", grid(axes) + lines,
              fmt::format("viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\"", kWidth, kHeight,
                          escaped(title + " by epoch")));
  const std::string heading =
      escaped(title) + (unit.empty() ? "" : element("small", " " + escaped(unit)));
  return element("figure", element("figcaption", element("b", heading) +
                                                     element("div", legend, "class=\"legend\"")) +
                               svg + table_of(drawn));
}

}  // namespace retort::host
