#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "framework/base/random.hpp"
#include "framework/config/trials.hpp"

namespace retort::host::config {
namespace {

using Overrides = std::vector<std::string>;

std::vector<Overrides> make_grid(const SweepConfig& sweep) {
  std::vector<Overrides> all = {{}};
  for (const SweepKey& key : sweep.keys) {
    std::vector<Overrides> longer;
    for (const Overrides& before : all) {
      for (const std::string& value : key.values) {
        longer.push_back(before);
        longer.back().push_back(key.key + "=" + value);
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::vector<Overrides> make_rows(const SweepConfig& sweep) {
  std::vector<Overrides> all(sweep.keys.empty() ? 0 : sweep.keys.front().values.size());
  for (const SweepKey& key : sweep.keys) {
    for (size_t i = 0; i < all.size(); ++i) all[i].push_back(key.key + "=" + key.values.at(i));
  }
  return all;
}

/// A number in [0, 1) with 53 random bits.
double draw_unit(const Philox& generator) {
  const auto words = generator.block(0);
  const uint64_t bits = (static_cast<uint64_t>(words[0]) << 32 | words[1]) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

/// The value of a range at a point of [0, 1).
std::string value_at(const SweepKey& key, double unit) {
  const double min = *key.min, max = *key.max;
  // Of integers, each has the same room, so the last one needs some beyond it.
  const double top = key.integer ? max + 1 : max;
  double value =
      key.log ? std::exp(std::log(min) + unit * std::log(top / min)) : min + unit * (top - min);
  if (!std::isfinite(value)) value = min * (1 - unit) + top * unit;  // top - min is too large
  if (key.integer) value = std::floor(value);
  value = std::clamp(value, min, max);  // a logarithm and back may end beside the range
  return key.integer ? std::to_string(static_cast<int64_t>(value)) : real_text(value);
}

std::string draw_value(const SweepKey& key, double unit) {
  if (key.min && key.max) return value_at(key, unit);
  return key.values.at(static_cast<size_t>(unit * static_cast<double>(key.values.size())));
}

std::vector<Overrides> make_draws(const SweepConfig& sweep, uint64_t seed) {
  std::vector<Overrides> all(static_cast<size_t>(sweep.trials));
  for (size_t trial = 0; trial < all.size(); ++trial) {
    for (const SweepKey& key : sweep.keys) {
      const Philox generator(combine_key(seed, "sweep " + key.key, trial));
      all[trial].push_back(key.key + "=" + draw_value(key, draw_unit(generator)));
    }
  }
  return all;
}

}  // namespace

std::vector<Overrides> make_trials(const SweepConfig& sweep, uint64_t seed) {
  switch (sweep.kind) {
    case SweepConfig::Kind::Grid:
      return make_grid(sweep);
    case SweepConfig::Kind::List:
      return make_rows(sweep);
    case SweepConfig::Kind::Random:
      break;
  }
  return make_draws(sweep, seed);
}

}  // namespace retort::host::config
