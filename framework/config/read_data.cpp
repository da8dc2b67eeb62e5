#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "framework/config/sections.hpp"
#include "framework/config/suggest.hpp"

namespace retort::host::config {
namespace {

constexpr int64_t kLargestPadding = 1024;

std::string entry_path(const std::string& path, size_t position) {
  return path + "[" + std::to_string(position) + "]";
}

/// Parses "flip" or "crop(2)"; returns what is wrong, or "".
std::string parse_augment(const std::string& text, Augment& augment) {
  const size_t open = std::min(text.find('('), text.size());
  const std::string name = text.substr(0, open);
  if (name == "flip") {
    augment.kind = Augment::Kind::Flip;
    return open == text.size() ? "" : "takes no argument; write \"flip\"";
  }
  if (name == "crop") {
    augment.kind = Augment::Kind::Crop;
    const char* const end = text.data() + text.size();
    const char* const first = text.data() + std::min(open + 1, text.size());
    const auto [rest, error] = std::from_chars(first, end, augment.padding);
    if (error == std::errc() && rest + 1 == end && *rest == ')') {
      if (augment.padding >= 1 && augment.padding <= kLargestPadding) return "";
      return "pads by >= 1 and <= " + std::to_string(kLargestPadding) + " pixels";
    }
    return "needs its padding in pixels; write \"crop(4)\"";
  }
  const std::string meant = nearest(name, {"crop", "flip"});
  return "unknown step" + (meant.empty() ? "" : "; did you mean " + quote_text(meant) + "?") +
         "  known: crop(padding), flip";
}

void read_augment(Section& section, std::vector<Augment>& steps) {
  std::vector<std::string> texts;
  const Node* node = read_texts(section, "augment", texts);
  if (node == nullptr) return;
  steps.clear();
  for (size_t i = 0; i < texts.size(); ++i) {
    Augment step;
    const std::string problem = parse_augment(texts[i], step);
    if (!problem.empty()) {
      const std::string path = entry_path(section.path_of("augment"), i);
      section.diagnostics().add(node->items[i].place, subject(path, node->items[i]), problem);
    }
    steps.push_back(step);
  }
}

}  // namespace

const Node* read_reals(Section& section, const std::string& key, const Range& range,
                       std::vector<double>& values) {
  const Node* node = section.take(key);
  if (node == nullptr) return nullptr;
  const std::string path = section.path_of(key);
  if (!node->is(Node::Kind::List)) {
    wrong_type(*node, path, "a list of numbers", "", section.diagnostics());
    return nullptr;
  }
  std::vector<double> read(node->items.size());
  bool good = true;
  for (size_t i = 0; i < read.size(); ++i) {
    good &=
        read_real(node->items[i], entry_path(path, i), range, read[i], "", section.diagnostics());
  }
  if (!good) return nullptr;
  values = std::move(read);
  return node;
}

const Node* read_texts(Section& section, const std::string& key, std::vector<std::string>& values) {
  const Node* node = section.take(key);
  if (node == nullptr) return nullptr;
  const std::string path = section.path_of(key);
  if (!node->is(Node::Kind::List)) {
    wrong_type(*node, path, "a list of texts", "", section.diagnostics());
    return nullptr;
  }
  std::vector<std::string> read(node->items.size());
  bool good = true;
  for (size_t i = 0; i < read.size(); ++i) {
    good &= read_text(node->items[i], entry_path(path, i), read[i], "", section.diagnostics());
  }
  if (!good) return nullptr;
  values = std::move(read);
  return node;
}

void read_normalize(Section section, std::optional<Normalize>& normalize) {
  if (!section.present()) return;
  Normalize read;
  const bool has_mean = section.node()->find("mean") != nullptr;
  const bool has_stddev = section.node()->find("std") != nullptr;
  const Node* mean = read_reals(section, "mean", Range::between(0, 1), read.mean);
  const Node* stddev = read_reals(section, "std", {0.0, 1.0, true, false}, read.stddev);
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
  normalize = std::move(read);
}

void read_data(Section section, const Catalog& catalog, DataConfig& data) {
  const bool known = read_component(section, "dataset", RETORT_KIND_DATASET, catalog, data.dataset);
  section.integer("batch_size", Range::between(1, 1 << 20), data.batch_size);
  section.integer("train_samples", Range::at_least(0), data.train_samples);
  read_augment(section, data.augment);
  read_normalize(section.section("normalize"), data.normalize);
  section.refuse("views", "is not built yet");
  if (!known) return;
  read_options(section, data.dataset);
  section.finish();
}

bool check_name(const Node& node, const std::string& path, Diagnostics& diagnostics) {
  const std::string& name = node.text;
  const bool good = !name.empty() && name.size() <= 100 && name[0] != '.' && name[0] != '-' &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return c < 0x80 && (std::isalnum(c) || c == '.' || c == '_' || c == '-');
                    });
  if (!good) {
    diagnostics.add(node.place, subject(path, node),
                    "must be letters, digits, \".\", \"_\" and \"-\", at most 100 and none of "
                    "\".-\" first: it names files");
  }
  return good;
}

}  // namespace retort::host::config
