#include "framework/config/keys/data.hpp"

#include <algorithm>

#include "framework/config/toml_writer.hpp"

namespace retort::host {

const ViewConfig* DataConfig::find_view(std::string_view view) const {
  if (view == kDefaultView) return nullptr;  // also where one has that name, which is told
  const auto found = std::find_if(views.begin(), views.end(),
                                  [&](const ViewConfig& config) { return config.name == view; });
  return found == views.end() ? nullptr : &*found;
}

}  // namespace retort::host

namespace retort::host::config {
namespace {

/// cutmix pastes the same box into all views of a sample.
void check_cutmix(const Section& views, const DataConfig& data, Diagnostics& diagnostics) {
  if (data.cutmix <= 0) return;
  for (const ViewConfig& view : data.views) {
    if (view.size == 0) continue;
    const Node& size = *views.node()->find(view.name)->find("size");
    diagnostics.add(size.place, subject(views.key_path(view.name) + ".size", size),
                    "data.cutmix pastes one box of pixels into all views, which needs one size; "
                    "set it to 0, or leave the size out");
  }
}

bool turns_copies(const std::vector<Augment>& steps) {
  return std::any_of(steps.begin(), steps.end(),
                     [](const Augment& step) { return step.kind == Augment::Kind::Rotations; });
}

/// Rotations tell the copies of a sample apart; where there is one they do nothing.
void check_rotations(const Section& section, const DataConfig& data, Diagnostics& diagnostics) {
  const std::string what = "\"rotations\" turns the copies of a sample, and ";
  if (turns_copies(data.augment)) {
    diagnostics.add(data.augment.front().place, section.key_path("augment"),
                    what + "here is one; put it into a [data.views.NAME] with times = 4");
  }
  for (const ViewConfig& view : data.views) {
    const bool idle = view.times == 1 && turns_copies(view.augment);
    if (!idle || turns_copies(data.augment)) continue;
    diagnostics.add(view.place, section.key_path("views") + "." + key_text(view.name) + ".times",
                    what + "times = 1 makes one; write times = 4");
  }
}

}  // namespace

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
  const size_t mistakes = section.diagnostics().count();
  read_augment(section, data.augment);
  read_normalize(section.section("normalize"), data.normalize);
  const Section views = section.section("views");
  read_views(views, data.augment, data.views);
  check_cutmix(views, data, section.diagnostics());
  if (section.diagnostics().count() == mistakes)
    check_rotations(section, data, section.diagnostics());
  section.reserve("host");
  if (known) read_options(section, data.dataset);
  section.finish();
  data.are_views_read =
      views.present() || !is_unclear(section.path(), "views", section.diagnostics());
}

std::string write_data(const DataConfig& data) {
  return "\n[data]\n" + write_line("dataset", write_value(data.dataset.info.id)) +
         write_options(data.dataset) + write_line("batch_size", write_value(data.batch_size)) +
         write_line("train_samples", write_value(data.train_samples)) +
         write_line("validation", write_value(data.validation)) +
         write_line("mixup", write_value(data.mixup)) +
         write_line("cutmix", write_value(data.cutmix)) + write_augment(data.augment) +
         write_normalize(data.normalize) + write_views(data.views);
}

KnownNames list_views(const DataConfig& data) {
  KnownNames known = {{kDefaultView}, data.are_views_read};
  for (const ViewConfig& view : data.views) add_view_name(view.name, known);
  return known;
}

}  // namespace retort::host::config
