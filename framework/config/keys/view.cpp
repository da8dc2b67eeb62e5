#include "framework/config/keys/view.hpp"

#include <algorithm>
#include <utility>

#include "framework/base/suggest.hpp"
#include "framework/config/name_list.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

constexpr int64_t kLargestSize = 1 << 14;
constexpr int64_t kMostCopies = 64;

void check_view_name(const Node& table, const std::string& path, Diagnostics& diagnostics) {
  if (table.key == kDefaultView) {
    diagnostics.add(table.key_place, path, "is what [data] itself describes; give it another name");
    return;
  }
  Node name;
  name.kind = Node::Kind::Text;
  name.text = table.key;
  name.place = table.key_place;
  check_name(name, "data.views", diagnostics);
}

void read_size(Section& section, ViewConfig& view) {
  const Range range = Range::between(1, static_cast<double>(kLargestSize));
  const Node* node = section.take("size", "integer", describe(range), "",
                                  "height and width after augmentation; absent: the data's");
  if (node == nullptr) return;
  read_integer(*node, section.key_path("size"), range, view.size,
               "; leave it out for the data's size", section.diagnostics());
}

void read_view(Section section, ViewConfig& view) {
  // A file has none until it names one: what `inspect experiment` prints is commented out.
  if (section.schema() != nullptr) section.refuse_rest("stands below a name");
  read_augment(section, view.augment);
  section.text("like", view.like,
               "instead of augment: the view whose augmentation and draws it shares");
  read_size(section, view);
  section.integer("times", Range::between(1, static_cast<double>(kMostCopies)), view.times,
                  "copies of each sample in a batch");
  section.finish();
  if (!section.present()) return;
  view.place = section.place();
  const Node* augment = section.node()->find("augment");
  if (augment != nullptr && section.node()->find("like") != nullptr) {
    section.diagnostics().add(augment->key_place, section.key_path("augment"),
                              "is that of the view it is like; keep one of the two keys");
  }
}

/// Null for the default view, and for the one that a view without `like` names.
ViewConfig* find_view_in(std::vector<ViewConfig>& views, const std::string& name) {
  if (name.empty() || name == kDefaultView) return nullptr;
  const auto found = std::find_if(views.begin(), views.end(),
                                  [&](const ViewConfig& view) { return view.name == name; });
  return found == views.end() ? nullptr : &*found;
}

/// Whether `like` names another view; "" where it does not and none is near. That the view itself
/// has a name which none may have was told.
void check_like(const Node& table, const std::string& path, const KnownNames& known,
                ViewConfig& view, Diagnostics& diagnostics) {
  const Node* node = table.find("like");
  if (node == nullptr || !node->is(Node::Kind::Text)) return;
  const std::string like_path = path + ".like";
  const bool may_be_itself = !view.name.empty() && view.name != kDefaultView;
  if (may_be_itself && node->text == view.name) {
    diagnostics.add(node->place, subject(like_path, *node), "is the view itself; name another one");
    view.like.clear();
    return;
  }
  KnownNames others = known;
  if (view.name != kDefaultView) std::erase(others.names, view.name);
  view.like = find_known({node->text, like_path, node}, "view", others, diagnostics);
}

/// The views from one to the next that it is like, to one with draws of its own, or to the first
/// that is there again.
std::vector<ViewConfig*> find_chain(std::vector<ViewConfig>& views, ViewConfig& first) {
  std::vector<ViewConfig*> chain = {&first};
  while (true) {
    ViewConfig* next = find_view_in(views, chain.back()->like);
    if (next == nullptr) return chain;
    const bool again = std::find(chain.begin(), chain.end(), next) != chain.end();
    chain.push_back(next);
    if (again) return chain;
  }
}

/// Gives each view the augmentation of the one that it is like. A circle is told once, at its first
/// view.
void follow_likes(Section& section, const std::vector<Augment>& of_data,
                  std::vector<ViewConfig>& views) {
  for (ViewConfig& view : views) {
    const std::vector<ViewConfig*> chain = find_chain(views, view);
    ViewConfig* last = chain.back();
    if (std::count(chain.begin(), chain.end(), last) < 2) {
      if (&view != last) view.augment = last->augment;
      if (last->like == kDefaultView) view.augment = of_data;
    } else if (last == &view && *std::min_element(chain.begin(), chain.end()) == &view) {
      std::vector<std::string> names;
      for (const ViewConfig* each : chain) names.push_back(each->name);
      const Node& like = *section.node()->find(view.name)->find("like");
      section.diagnostics().add(like.place, subject(section.key_path(view.name) + ".like", like),
                                "goes in a circle: " + join(names, " -> "));
    }
  }
}

}  // namespace

void read_views(Section section, const std::vector<Augment>& of_data,
                std::vector<ViewConfig>& views) {
  Diagnostics& diagnostics = section.diagnostics();
  if (section.schema() != nullptr) {
    ViewConfig unused;
    read_view(
        Section(nullptr, section.key_path("NAME"), section.place(), diagnostics, section.schema()),
        unused);
  }
  if (!section.present()) return;
  KnownNames known = {{kDefaultView}};
  for (const Node& table : section.node()->items) {
    const std::string path = section.key_path(table.key);
    ViewConfig& view = views.emplace_back();
    view.name = table.key;
    add_view_name(table.key, known);
    check_view_name(table, path, diagnostics);
    read_view(Section(&table, path, table.place, diagnostics), view);
  }
  for (size_t i = 0; i < views.size(); ++i) {
    const Node& table = section.node()->items[i];
    check_like(table, section.key_path(table.key), known, views[i], diagnostics);
  }
  follow_likes(section, of_data, views);
}

void add_view_name(const std::string& name, KnownNames& known) {
  if (name.empty() || name == kDefaultView) {
    known.whole = false;
  } else {
    known.names.push_back(name);
  }
}

std::string write_views(const std::vector<ViewConfig>& views) {
  std::string text;
  for (const ViewConfig& view : views) {
    text += "\n[data.views." + key_text(view.name) + "]\n";
    text += view.like.empty() ? write_augment(view.augment)
                              : write_line("like", write_value(view.like));
    if (view.size != 0) text += write_line("size", write_value(view.size));
    text += write_line("times", write_value(view.times));
  }
  return text;
}

}  // namespace retort::host::config
