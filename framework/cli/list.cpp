#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include <spdlog/spdlog.h>

#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/config/arguments.hpp"
#include "framework/config/blocks.hpp"
#include "framework/config/schema.hpp"
#include "framework/plugin/elf_file.hpp"
#include "framework/report/print.hpp"
#include "framework/report/reference_page.hpp"
#include "framework/train/network.hpp"

namespace retort::host {
namespace {

using Json = nlohmann::ordered_json;

const char* type_name(retort_option_type type) {
  switch (type) {
    case RETORT_OPTION_REAL:
      return "real";
    case RETORT_OPTION_INT:
      return "int";
    case RETORT_OPTION_BOOL:
      return "bool";
    case RETORT_OPTION_TEXT:
      return "text";
    case RETORT_OPTION_CHOICE:
      break;
  }
  return "choice";
}

Json default_json(const OptionInfo& option) {
  switch (option.type) {
    case RETORT_OPTION_REAL:
      return option.default_real;
    case RETORT_OPTION_INT:
      return option.default_int;
    case RETORT_OPTION_BOOL:
      return option.default_int != 0;
    case RETORT_OPTION_TEXT:
      return option.default_text;
    case RETORT_OPTION_CHOICE:
      break;
  }
  return option.choices.at(static_cast<size_t>(option.default_int));
}

Json option_json(const OptionInfo& option) {
  Json json = {{"name", option.name}, {"help", option.help}, {"type", type_name(option.type)}};
  if (option.type == RETORT_OPTION_CHOICE) json["choices"] = option.choices;
  // What a required option's record has for a default is of no use, and may be anything.
  const bool required = (option.flags & RETORT_OPTION_REQUIRED) != 0;
  json["default"] = required ? Json() : default_json(option);
  json["required"] = required;
  if ((option.flags & RETORT_OPTION_HAS_MIN) != 0) json["min"] = option.min;
  if ((option.flags & RETORT_OPTION_HAS_MAX) != 0) json["max"] = option.max;
  if (!option.unit.empty()) json["unit"] = option.unit;
  return json;
}

Json component_json(const ComponentInfo& info) {
  Json json = {{"kind", kind_name(info.kind)}, {"id", info.id},
               {"version", info.version},      {"summary", info.summary},
               {"licence", info.licence},      {"paper", info.paper},
               {"verified", info.verified},    {"file", info.file.string()},
               {"machine", info.machine},      {"options", Json::array()}};
  for (const OptionInfo& option : info.options) json["options"].push_back(option_json(option));
  return json;
}

retort_kind kind_of(const std::string& name) {
  if (name == "strategy") return RETORT_KIND_STRATEGY;
  return name == "model" ? RETORT_KIND_MODEL : RETORT_KIND_DATASET;
}

void print_list(const Catalog& catalog, const std::string& kind, bool json) {
  std::vector<ComponentInfo> listed;
  for (const ComponentInfo& info : catalog.components()) {
    if (kind.empty() || info.kind == kind_of(kind)) listed.push_back(info);
  }
  if (json) {
    Json list = Json::array();
    for (const ComponentInfo& info : listed) list.push_back(component_json(info));
    print_out("{}\n", json_text(list, 2));
    return;
  }
  size_t id_width = 2;
  for (const ComponentInfo& info : listed) id_width = std::max(id_width, info.id.size());
  for (const ComponentInfo& info : listed) {
    print_out("{:9} {:{}}  {:7}  {}\n", kind_name(info.kind), info.id, id_width, info.version,
              info.summary);
  }
  const auto& all = catalog.components();
  if (std::any_of(all.begin(), all.end(), [](const auto& info) { return !info.built_in; })) return;
  std::vector<std::string> folders;
  for (const auto& folder : catalog.folders()) folders.push_back(folder.string());
  spdlog::warn("no plugin was found in {}; name a folder with --plugins or RETORT_PLUGIN_PATH",
               join(folders));
}

void print_component(const ComponentInfo& info) {
  print_out("{} {} {}   {}\n", kind_name(info.kind), info.id, info.version, info.summary);
  print_out("file      {}\n", info.built_in ? "the host's own" : info.file.string());
  if (!info.built_in && info.machine != this_machine()) {
    print_out("machine   {}; this one is {}: it can be shown here, not loaded\n", info.machine,
              this_machine());
  }
  if (!info.licence.empty()) print_out("licence   {}\n", info.licence);
  if (!info.paper.empty()) print_out("paper     {}\n", info.paper);
  if (!info.verified.empty()) print_out("verified  {}\n", info.verified);
  if (!info.bind_student.empty()) {
    print_out("binds     student {}, teacher {}\n", join(info.bind_student),
              join(info.bind_teacher));
  }
  const std::string batch = batch_rule_text(info);
  if (!batch.empty()) print_out("batch     {}\n", batch);
  for (const OperatorName& use : info.uses) {
    print_out("uses      {}{}\n", use.name, use.overload.empty() ? "" : "." + use.overload);
  }
  print_out("\n{}", option_block(info));
}

/// Reads `input`, the channels, height and width of an image, and `classes`.
void read_input(config::Section& section, InputShape& input) {
  section.integer("classes", config::Range::between(1, 1 << 20), input.class_count);
  const config::Node* node = section.take("input");
  if (node == nullptr) return;
  int64_t* const sizes[] = {&input.channels, &input.height, &input.width};
  if (!node->is(config::Node::Kind::List) || node->items.size() != std::size(sizes)) {
    section.diagnostics().add(node->place, subject("input", *node),
                              "must be [channels, height, width], as in 'input=[3,224,224]'");
    return;
  }
  for (size_t i = 0; i < std::size(sizes); ++i) {
    read_integer(node->items[i], "input[" + std::to_string(i) + "]",
                 config::Range::between(1, 4096), *sizes[i], "", section.diagnostics());
  }
}

/// A model, built alone. Throws: ConfigError that tells all mistakes in the settings.
std::unique_ptr<Network> build_model(const ComponentInfo& info,
                                     const std::vector<std::string>& settings) {
  InputShape input = {3, 32, 32, 10};
  NetworkConfig config;
  config.model = config::choose_component(
      info, "inspect", settings, [&](config::Section& section) { read_input(section, input); });
  return build_network("student", config, input, Placement{}, 1);
}

Json network_json(Network& network) {
  const InputShape& input = network.input();
  Json taps = Json::object();
  for (const auto& [name, shape] : network.profile().taps) taps[name] = shape;
  return {{"model", network.description()},
          {"input", {input.channels, input.height, input.width}},
          {"classes", input.class_count},
          {"parameters", network.profile().parameters},
          {"multiply_adds", network.profile().multiply_adds},
          {"taps", std::move(taps)}};
}

void print_network(Network& network) {
  const InputShape& input = network.input();
  const NetworkProfile& profile = network.profile();
  print_out("\nnetwork   {}   {} x {} x {}, {} classes   {} parameters   {:.1f} M multiply-adds\n",
            network.description(), input.channels, input.height, input.width, input.class_count,
            grouped(profile.parameters), static_cast<double>(profile.multiply_adds) / 1e6);
  for (const auto& [name, shape] : profile.taps)
    print_out("tap       {:14} {}\n", name, shape_text(shape));
}

void print_experiment_keys(bool json) {
  if (!json) {
    print_out(
        "# Options of a data set, model or strategy stand beside its id: retort inspect NAME\n{}",
        experiment_block());
    return;
  }
  Json list = Json::array();
  for (const config::KeyInfo& key : experiment_keys()) {
    list.push_back({{"key", key.path},
                    {"type", key.type},
                    {"accepted", key.accepted},
                    {"default", key.default_value},
                    {"help", key.text}});
  }
  print_out("{}\n", json_text(list, 2));
}

bool is_file(const std::string& name) {
  return name.ends_with(".retort") || name.find('/') != std::string::npos;
}

/// The components that a user means by a name or by the path of a plugin file.
std::vector<ComponentInfo> components_of(const std::string& name, const Catalog& catalog) {
  if (is_file(name)) return read_manifest(name, ManifestUse::Show, reserved_option_names());
  std::vector<ComponentInfo> found;
  std::vector<std::string> ids;
  for (const ComponentInfo& info : catalog.components()) {
    if (info.id == name) found.push_back(info);
    ids.push_back(info.id);
  }
  if (!found.empty()) return found;
  ids.emplace_back("experiment");
  const std::string near = nearest(name, ids);
  throw ConfigError("\"" + name + "\" is in no plugin" +
                    (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
                    "  known: " + join(ids));
}

}  // namespace

void list_command(const std::string& kind, bool markdown, const CommonOptions& common) {
  const Catalog catalog = scan_for_command(common, true);
  if (markdown) {
    if (kind.empty()) throw ConfigError("--markdown prints one kind's page: retort ls strategy");
    print_out("{}", reference_page(catalog, kind_of(kind)));
  } else {
    print_list(catalog, kind, common.json);
  }
}

void inspect_command(const std::string& name, const std::vector<std::string>& settings,
                     const CommonOptions& common) {
  if (name == "experiment") return print_experiment_keys(common.json);
  if (name.ends_with(".pt2")) return inspect_program(name, common);
  const std::vector<ComponentInfo> found = components_of(name, scan_for_command(common, false));
  Json list = Json::array();
  for (size_t i = 0; i < found.size(); ++i) {
    const ComponentInfo& info = found[i];
    if (!settings.empty() && info.kind != RETORT_KIND_MODEL) {
      throw ConfigError("\"" + settings.front() + "\" would build a model; " + info.id + " is a " +
                        kind_name(info.kind) + ": leave it out");
    }
    // Of a file that need not be installed no code is run unless asked for.
    const bool builds =
        info.kind == RETORT_KIND_MODEL && !info.built_in && (!settings.empty() || !is_file(name));
    if (common.json) {
      list.push_back(component_json(info));
      if (builds) list.back()["network"] = network_json(*build_model(info, settings));
    } else {
      if (i > 0) print_out("\n");
      print_component(info);
      if (builds) print_network(*build_model(info, settings));
    }
  }
  if (common.json) print_out("{}\n", json_text(list, 2));
}

}  // namespace retort::host
