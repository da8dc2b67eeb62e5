#include "framework/report/spread.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace retort::host {

Spread make_spread(const std::vector<double>& values) {
  Spread spread;
  spread.count = values.size();
  if (values.empty()) return spread;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  if (values.size() < 2) return spread;
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  spread.std = std::sqrt(squares / (count - 1));
  return spread;
}

std::optional<double> find_paired_p(const std::vector<double>& differences) {
  const Spread spread = make_spread(differences);
  if (spread.count < 3 || spread.std == 0) return std::nullopt;
  const double count = static_cast<double>(spread.count);
  const double t = spread.mean / (spread.std / std::sqrt(count));
  return 2 *
         boost::math::cdf(boost::math::complement(boost::math::students_t(count - 1), std::abs(t)));
}

}  // namespace retort::host
