#include "framework/config/keys/augment.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "framework/base/suggest.hpp"
#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

constexpr int64_t kLargestPadding = 1024;

constexpr EnumNames<Augment::Kind, 5> kStepNames = {
    {"crop", "flip", "randaugment", "erase", "rotations"}};

/// What stands in the brackets of "name(1, 2)".
struct StepNumbers {
  bool brackets = false;
  std::vector<double> list;  // empty, too, where it is no list of numbers

  bool has_whole(size_t position, int64_t min, int64_t max) const {
    const double number = list[position];
    return number == std::floor(number) && Range::between(double(min), double(max)).holds(number);
  }
};

std::string take_crop(const StepNumbers& numbers, Augment& step) {
  if (numbers.list.size() != 1) return "needs its padding in pixels; write \"crop(4)\"";
  if (!numbers.has_whole(0, 1, kLargestPadding)) {
    return "pads by >= 1 and <= " + std::to_string(kLargestPadding) + " pixels";
  }
  step.padding = static_cast<int64_t>(numbers.list[0]);
  return "";
}

std::string take_flip(const StepNumbers& numbers, Augment&) {
  return numbers.brackets ? "takes no argument; write \"flip\"" : "";
}

std::string take_randaugment(const StepNumbers& numbers, Augment& step) {
  if (numbers.list.size() != 2 || !numbers.has_whole(0, 1, 16) || !numbers.has_whole(1, 0, 30)) {
    return "needs 1 to 16 operations and a magnitude of 0 to 30; write \"randaugment(2, 9)\"";
  }
  step.operations = static_cast<int64_t>(numbers.list[0]);
  step.magnitude = static_cast<int64_t>(numbers.list[1]);
  return "";
}

std::string take_erase(const StepNumbers& numbers, Augment& step) {
  if (numbers.list.size() != 1 || !Range::above_up_to(0, 1).holds(numbers.list[0])) {
    return "needs a probability > 0 and <= 1; write \"erase(0.25)\"";
  }
  step.probability = numbers.list[0];
  return "";
}

std::string take_rotations(const StepNumbers& numbers, Augment&) {
  return numbers.brackets ? "takes no argument; write \"rotations\"" : "";
}

/// How each kind is told of, and how it takes its numbers: "" or what is wrong with them.
struct StepForm {
  std::string form;         // for messages
  std::string with_ranges;  // for `inspect experiment`
  std::string (*take)(const StepNumbers&, Augment&);
};

const std::array<StepForm, kStepNames.names.size()> kStepForms = {
    {{"crop(padding)", "crop(padding of 1 to " + std::to_string(kLargestPadding) + " pixels)",
      take_crop},
     {"flip", "flip", take_flip},
     {"randaugment(operations, magnitude)",
      "randaugment(1 to 16 operations, magnitude 0 to 30) on 1 or 3 channels", take_randaugment},
     {"erase(probability)", "erase(probability > 0 and <= 1) at the end", take_erase},
     {"rotations", "rotations (copy k of a sample by k * 90 degrees, with times)",
      take_rotations}}};

std::string join_forms(std::string StepForm::*text) {
  std::vector<std::string> forms;
  for (const StepForm& form : kStepForms) forms.push_back(form.*text);
  return join(forms);
}

/// The numbers of "(1, 2)"; none where that is no list of them.
std::vector<double> parse_numbers(std::string_view text) {
  std::vector<double> numbers;
  if (text.empty() || text.front() != '(' || text.back() != ')') return {};
  text = text.substr(1, text.size() - 2);
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    double number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !std::isfinite(number)) return {};
    numbers.push_back(number);
    text.remove_prefix(static_cast<size_t>(rest - text.data()));
    if (text.empty()) return numbers;
    if (text.front() != ',') return {};
    text.remove_prefix(1);
  }
}

/// Parses "flip" or "crop(2)"; returns what is wrong, or "".
std::string parse_step(const std::string& text, Augment& step) {
  const size_t open = std::min(text.find('('), text.size());
  const std::string name = text.substr(0, open);
  const std::vector<std::string> names = kStepNames.list();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    const std::string meant = nearest(name, names);
    return "unknown step" + (meant.empty() ? "" : "; did you mean " + quote_text(meant) + "?") +
           "  known: " + join_forms(&StepForm::form);
  }
  const auto position = static_cast<size_t>(found - names.begin());
  step.kind = static_cast<Augment::Kind>(position);
  const std::string_view rest = std::string_view(text).substr(open);
  return kStepForms[position].take({!rest.empty(), parse_numbers(rest)}, step);
}

/// What is wrong with a step at this place of the list, or "".
std::string check_order(const Augment& step, size_t position, size_t count) {
  if (step.kind != Augment::Kind::Erase || position + 1 == count) return "";
  return "is step " + std::to_string(position + 1) + " of " + std::to_string(count) +
         "; it blanks the normalised image, so put it last";
}

}  // namespace

void read_augment(Section& section, std::vector<Augment>& steps) {
  std::vector<std::string> texts;
  const Node* node = section.texts(
      "augment", texts,
      "changes to each training image, in order: " + join_forms(&StepForm::with_ranges));
  if (node == nullptr) return;
  steps.clear();
  for (size_t i = 0; i < texts.size(); ++i) {
    Augment& step = steps.emplace_back();
    step.place = node->items[i].place;
    std::string problem = parse_step(texts[i], step);
    if (problem.empty()) problem = check_order(step, i, texts.size());
    if (problem.empty()) continue;
    const std::string path = entry_path(section.key_path("augment"), i);
    section.diagnostics().add(step.place, subject(path, node->items[i]), problem);
  }
}

std::string write_augment(const std::vector<Augment>& steps) {
  std::vector<std::string> texts;
  for (const Augment& step : steps) texts.push_back(augment_text(step));
  return write_line("augment", write_list(texts));
}

}  // namespace retort::host::config

namespace retort::host {

std::string augment_text(const Augment& step) {
  const std::string name = config::kStepNames[step.kind];
  switch (step.kind) {
    case Augment::Kind::Crop:
      return name + "(" + std::to_string(step.padding) + ")";
    case Augment::Kind::Flip:
    case Augment::Kind::Rotations:
      return name;
    case Augment::Kind::RandAugment:
      return name + "(" + std::to_string(step.operations) + ", " + std::to_string(step.magnitude) +
             ")";
    case Augment::Kind::Erase:
      return name + "(" + config::real_text(step.probability) + ")";
  }
  return "";
}

}  // namespace retort::host
