#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "framework/base/suggest.hpp"
#include "framework/config/sections.hpp"

namespace retort::host::config {
namespace {

constexpr int64_t kLargestPadding = 1024;

/// Named by messages; with its ranges for `inspect experiment`.
const std::string kSteps =
    "crop(padding), flip, randaugment(operations, magnitude), "
    "erase(probability)";

/// The numbers of "name(1, 2)", or nothing where what follows the name is no list of them.
std::optional<std::vector<double>> parse_arguments(std::string_view text) {
  std::vector<double> numbers;
  if (text.empty()) return numbers;
  if (text.front() != '(' || text.back() != ')') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    double number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
    numbers.push_back(number);
    text.remove_prefix(static_cast<size_t>(rest - text.data()));
    if (text.empty()) return numbers;
    if (text.front() != ',') return std::nullopt;
    text.remove_prefix(1);
  }
}

bool whole_between(double number, int64_t min, int64_t max) {
  return number == std::floor(number) && Range::between(double(min), double(max)).holds(number);
}

/// Parses "flip" or "crop(2)"; returns what is wrong, or "".
std::string parse_augment(const std::string& text, Augment& augment) {
  const size_t open = std::min(text.find('('), text.size());
  const std::string name = text.substr(0, open);
  const auto numbers = parse_arguments(std::string_view(text).substr(open));
  const size_t count = numbers ? numbers->size() : 0;
  if (name == "flip") {
    augment.kind = Augment::Kind::Flip;
    return open == text.size() ? "" : "takes no argument; write \"flip\"";
  }
  if (name == "crop") {
    augment.kind = Augment::Kind::Crop;
    if (count != 1) return "needs its padding in pixels; write \"crop(4)\"";
    if (!whole_between(numbers->at(0), 1, kLargestPadding)) {
      return "pads by >= 1 and <= " + std::to_string(kLargestPadding) + " pixels";
    }
    augment.padding = static_cast<int64_t>(numbers->at(0));
    return "";
  }
  if (name == "randaugment") {
    augment.kind = Augment::Kind::RandAugment;
    if (count != 2 || !whole_between(numbers->at(0), 1, 16) ||
        !whole_between(numbers->at(1), 0, 30)) {
      return "needs 1 to 16 operations and a magnitude of 0 to 30; write \"randaugment(2, 9)\"";
    }
    augment.operations = static_cast<int64_t>(numbers->at(0));
    augment.magnitude = static_cast<int64_t>(numbers->at(1));
    return "";
  }
  if (name == "erase") {
    augment.kind = Augment::Kind::Erase;
    if (count != 1 || numbers->at(0) <= 0 || numbers->at(0) > 1) {
      return "needs a probability > 0 and <= 1; write \"erase(0.25)\"";
    }
    augment.probability = numbers->at(0);
    return "";
  }
  const std::string meant = nearest(name, {"crop", "flip", "randaugment", "erase"});
  return "unknown step" + (meant.empty() ? "" : "; did you mean " + quote_text(meant) + "?") +
         "  known: " + kSteps;
}

const std::string kStepsWithRanges =
    "crop(padding of 1 to " + std::to_string(kLargestPadding) +
    " pixels), flip, randaugment(1 to 16 operations, magnitude 0 to 30) on 1 or 3 channels, "
    "erase(probability > 0 and <= 1) at the end";

/// What is wrong with a step at this place of the list, or "".
std::string misplaced(const Augment& step, size_t position, size_t count) {
  if (step.kind != Augment::Kind::Erase || position + 1 == count) return "";
  return "is step " + std::to_string(position + 1) + " of " + std::to_string(count) +
         "; it blanks the normalised image, so put it last";
}

void read_augment(Section& section, std::vector<Augment>& steps) {
  std::vector<std::string> texts;
  const Node* node = section.texts("augment", texts,
                                   "changes to each training image, in order: " + kStepsWithRanges);
  if (node == nullptr) return;
  steps.clear();
  for (size_t i = 0; i < texts.size(); ++i) {
    Augment step;
    step.place = node->items[i].place;
    std::string problem = parse_augment(texts[i], step);
    if (problem.empty()) problem = misplaced(step, i, texts.size());
    if (!problem.empty()) {
      const std::string path = entry_path(section.key_path("augment"), i);
      section.diagnostics().add(node->items[i].place, subject(path, node->items[i]), problem);
    }
    steps.push_back(step);
  }
}

}  // namespace

void read_normalize(Section section, std::optional<Normalize>& normalize) {
  Normalize read;
  const Node* mean = section.reals("mean", Range::between(0, 1), read.mean, "",
                                   "mean of each channel, of pixels in 0 to 1");
  const Node* stddev = section.reals("std", Range::above_up_to(0, 1), read.stddev, "",
                                     "standard deviation of each channel");
  if (!section.present()) return;
  const bool has_mean = section.node()->find("mean") != nullptr;
  const bool has_stddev = section.node()->find("std") != nullptr;
  section.finish();
  Diagnostics& diagnostics = section.diagnostics();
  if (!has_mean || !has_stddev) {
    diagnostics.add(section.place(), section.path(),
                    "needs both, one value a channel, of pixels in 0 to 1: "
                    "{ mean = [0.5], std = [0.25] }");
  } else if (mean != nullptr && stddev != nullptr) {
    if (read.mean.empty() || read.mean.size() != read.stddev.size()) {
      diagnostics.add(section.place(), section.path(),
                      "mean has " + std::to_string(read.mean.size()) + " values and std " +
                          std::to_string(read.stddev.size()) + "; each needs one a channel");
    }
  }
  read.place = section.place();
  normalize = std::move(read);
}

void read_data(Section section, const Catalog& catalog, DataConfig& data) {
  const bool known = read_component(section, "dataset", RETORT_KIND_DATASET, catalog, data.dataset);
  section.integer("batch_size", Range::between(1, 1 << 20), data.batch_size,
                  "images a batch; a last batch that would be smaller is left out");
  section.integer("train_samples", Range::at_least(0), data.train_samples,
                  "only the first so many training images; 0: all");
  section.real("validation", Range::between(0, 0.9), data.validation,
               "share of the training split that chooses the best epoch; 0: the test split does");
  section.real("mixup", Range::at_least(0), data.mixup,
               "mixes two images, by a share from Beta(mixup, mixup); 0: none");
  section.real("cutmix", Range::at_least(0), data.cutmix,
               "pastes a box of another image, its area from Beta(cutmix, cutmix); 0: none");
  read_augment(section, data.augment);
  read_normalize(section.section("normalize"), data.normalize);
  for (const char* key : {"views", "host"}) section.reserve(key);
  if (known) read_options(section, data.dataset);
  section.finish();
}

}  // namespace retort::host::config
