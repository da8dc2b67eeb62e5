#include "framework/config/keys/normalize.hpp"

#include <utility>

#include "framework/config/toml_writer.hpp"

namespace retort::host::config {

void read_normalize(Section section, std::optional<Normalize>& normalize) {
  Normalize read;
  const Node* mean = section.reals("mean", Range::between(0, 1), read.mean, "",
                                   "mean of each channel, of pixels in 0 to 1");
  const Node* stddev = section.reals("std", Range::above_up_to(0, 1), read.stddev, "",
                                     "standard deviation of each channel");
  if (!section.present()) return;
  const bool has_both =
      section.node()->find("mean") != nullptr && section.node()->find("std") != nullptr;
  section.finish();
  const bool good = mean != nullptr && stddev != nullptr;
  if (!has_both) {
    section.diagnostics().add(section.place(), section.path(),
                              "needs both, one value a channel, of pixels in 0 to 1: "
                              "{ mean = [0.5], std = [0.25] }");
  } else if (good && (read.mean.empty() || read.mean.size() != read.stddev.size())) {
    section.diagnostics().add(section.place(), section.path(),
                              "mean has " + std::to_string(read.mean.size()) + " values and std " +
                                  std::to_string(read.stddev.size()) +
                                  "; each needs one a channel");
  }
  read.place = section.place();
  normalize = std::move(read);
}

std::string write_normalize(const std::optional<Normalize>& normalize) {
  if (!normalize) return "";
  return write_line("normalize", write_braces({write_entry("mean", write_list(normalize->mean)),
                                               write_entry("std", write_list(normalize->stddev))}));
}

}  // namespace retort::host::config
