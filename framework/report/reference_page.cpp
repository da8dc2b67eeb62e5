#include "framework/report/reference_page.hpp"

#include <algorithm>
#include <vector>

#include "framework/base/suggest.hpp"
#include "framework/config/component.hpp"

namespace retort::host {
namespace {

/// "logits" of "logits.kd"; "" for an id without a family.
std::string family_of(const ComponentInfo& info) {
  const size_t dot = info.id.find('.');
  return dot == std::string::npos ? "" : info.id.substr(0, dot);
}

std::string code(const std::string& text) { return "`" + text + "`"; }

/// Text that stays in its cell.
std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

std::string options_of(const ComponentInfo& info) {
  std::string text;
  for (const OptionInfo& option : info.options) {
    const bool required = (option.flags & RETORT_OPTION_REQUIRED) != 0;
    text += (text.empty() ? "" : "<br>") +
            (required ? code(option.name) + " (required)"
                      : code(option.name + " = " +
                             config::write_option(option, config::make_default(option))));
    std::string note = option.type == RETORT_OPTION_CHOICE ? join(option.choices) : option.help;
    if (!note.empty()) text += " " + cell(note);
  }
  return text;
}

std::string binding_of(const ComponentInfo& info) {
  if (info.bind_student.empty() && info.bind_teacher.empty()) return "features (`bind`)";
  const std::string student = code(join(info.bind_student));
  const std::string teacher = code(join(info.bind_teacher));
  return student == teacher ? student : student + " with the teacher's " + teacher;
}

void add(std::string& list, const std::string& entry) {
  list += (list.empty() ? "" : ", ") + entry;
}

std::string needs_of(const ComponentInfo& info) {
  std::string needs;
  if ((info.needs & RETORT_NEED_LOGITS) != 0) add(needs, "logits");
  if ((info.needs & RETORT_NEED_FEATURES) != 0) add(needs, binding_of(info));
  if ((info.needs & RETORT_NEED_LABELS) != 0) add(needs, "labels");
  if ((info.needs & RETORT_NEED_INDICES) != 0) add(needs, "sample indices");
  if ((info.needs & RETORT_NEED_NO_TEACHER) != 0) add(needs, "no teacher");
  const std::string batch = batch_rule_text(info);
  if (!batch.empty()) add(needs, "a batch of " + batch);
  if ((info.needs & RETORT_NEED_SYNC) != 0) add(needs, "waits for the device");
  return needs;
}

std::string row_of(const ComponentInfo& info) {
  std::string row = "| " + code(info.id) + " | " + cell(info.summary) + " | " + cell(info.paper) +
                    " | " + cell(info.verified) + " | ";
  if (info.kind == RETORT_KIND_STRATEGY) row += needs_of(info) + " | ";
  return row + options_of(info) + " |\n";
}

}  // namespace

std::string reference_page(const Catalog& catalog, retort_kind kind) {
  const bool strategies = kind == RETORT_KIND_STRATEGY;
  std::string name = std::string(kind_name(kind));
  std::string page = "# Which " + (strategies ? std::string("strategies") : name + "s") +
                     " are there?\n\nPrinted by `retort ls " + name +
                     " --markdown`. One of them as TOML, with every option explained: `retort "
                     "inspect NAME`.\n";
  std::vector<ComponentInfo> components;
  for (const ComponentInfo& info : catalog.components()) {
    if (info.kind == kind) components.push_back(info);
  }
  std::stable_sort(components.begin(), components.end(),
                   [](const ComponentInfo& a, const ComponentInfo& b) {
                     return std::make_pair(family_of(a), a.id) < std::make_pair(family_of(b), b.id);
                   });
  for (size_t i = 0; i < components.size(); ++i) {
    const std::string family = family_of(components[i]);
    if (i == 0 || family != family_of(components[i - 1])) {
      page += family.empty() ? "\n" : "\n## " + family + "\n\n";
      page += strategies ? "| strategy | what it does | paper | verified against | needs | options "
                           "|\n|---|---|---|---|---|---|\n"
                         : "| " + name +
                               " | what it is | paper | verified against | options |\n"
                               "|---|---|---|---|---|\n";
    }
    page += row_of(components[i]);
  }
  return page;
}

}  // namespace retort::host
