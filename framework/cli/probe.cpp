#include "framework/run/probe.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/base/error.hpp"
#include "framework/base/suggest.hpp"
#include "framework/base/text.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/load.hpp"
#include "framework/config/arguments.hpp"
#include "framework/report/print.hpp"

namespace retort::host {
namespace {

using Json = nlohmann::ordered_json;

ComponentInfo strategy_of(const Catalog& catalog, const std::string& id) {
  if (const ComponentInfo* found = catalog.find(RETORT_KIND_STRATEGY, id)) return *found;
  std::vector<std::string> ids;
  for (const ComponentInfo& info : catalog.components()) {
    if (info.kind == RETORT_KIND_STRATEGY) ids.push_back(info.id);
  }
  const std::string near = nearest(id, ids);
  throw ConfigError("strategy \"" + id + "\" is in no plugin" +
                    (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
                    "  known: " + join(ids));
}

ComponentChoice choose(const ComponentInfo& info, const std::vector<std::string>& arguments,
                       ProbeSettings& settings) {
  return config::choose_component(info, "probe", arguments, [&](config::Section& section) {
    // Bounds that leave room to count steps in 64 bits.
    const auto count = config::Range::between(0, 1 << 30);
    double progress = 0;
    int64_t epoch = 0;
    if (section.real("progress", config::Range::between(0, 1), progress) != nullptr) {
      settings.progress = progress;
    }
    if (section.integer("epoch", count, epoch) != nullptr) settings.epoch = epoch;
    section.integer("epochs", count, settings.epochs);
    section.integer("train_count", count, settings.train_count);
    section.integer("seed", config::Range::at_least(0), settings.seed);
  });
}

double norm(const at::Tensor& tensor) { return tensor.to(at::kDouble).norm().item<double>(); }

void print_result(const ProbeResult& result, const std::string& out) {
  print_out("loss {:.12g}\n", result.loss);
  size_t width = 0;
  for (const auto* tensors : {&result.tensors, &result.buffers})
    for (const auto& [name, tensor] : *tensors) width = std::max(width, name.size());
  for (const auto* tensors : {&result.tensors, &result.buffers}) {
    for (const auto& [name, tensor] : *tensors) {
      if (tensors == &result.tensors && name == "loss") continue;
      print_out("{:{}}  norm {:<16.10g} {}\n", name, width, norm(tensor),
                shape_text(tensor.sizes()));
    }
  }
  if (!out.empty()) print_out("wrote {}\n", out);
}

void write_result(const std::string& file, const ProbeResult& result) {
  std::vector<NamedTensor> all = result.tensors;
  for (const NamedTensor& buffer : result.buffers) {
    // A buffer that is called "loss" is left out before the step; "loss.after" is there.
    const bool taken = std::any_of(all.begin(), all.end(),
                                   [&](const auto& other) { return other.first == buffer.first; });
    if (!taken) all.push_back(buffer);
  }
  save_tensors(file, all, {});
}

Json result_json(const ProbeResult& result, const std::string& out) {
  Json json = {{"loss", result.loss}, {"gradients", Json::object()}, {"buffers", Json::object()}};
  for (const auto& [name, tensor] : result.tensors) {
    if (name == "loss") continue;
    json["gradients"][name] = {{"shape", tensor.sizes().vec()}, {"norm", norm(tensor)}};
  }
  for (const auto& [name, tensor] : result.buffers)
    json["buffers"][name] = {{"shape", tensor.sizes().vec()}, {"norm", norm(tensor)}};
  const ProbePlace& place = result.place;
  json["place"] = {{"epoch", place.epoch},       {"epochs", place.epoch_count},
                   {"step", place.step},         {"steps", place.step_count},
                   {"progress", place.progress}, {"train_count", place.train_count}};
  if (!out.empty()) json["out"] = out;
  return json;
}

/// What a strategy takes; with inputs, also what it draws and owns for these shapes.
Json list_json(const ComponentInfo& info, const ProbeResult* result) {
  Json json = {{"strategy", info.id}, {"inputs", Json::array()}};
  for (const ProbeInputRule& rule : probe_input_rules(info)) {
    json["inputs"].push_back(
        {{"name", rule.name}, {"wanted", rule.wanted}, {"required", rule.required}});
  }
  if (result == nullptr) return json;
  json["draws"] = Json::array();
  for (const auto& [name, tensor] : result->draws)
    json["draws"].push_back({{"name", name}, {"shape", tensor.sizes().vec()}});
  json["modules"] = Json::array();
  for (const Parameter& parameter : result->modules) {
    json["modules"].push_back({{"name", parameter.name},
                               {"shape", parameter.master.sizes().vec()},
                               {"trained", parameter.trained}});
  }
  return json;
}

void print_list(const Json& json) {
  for (const Json& input : json["inputs"]) {
    print_out("input   {:20} {:28} {}\n", input["name"].get<std::string>(),
              input["wanted"].get<std::string>(), input["required"].get<bool>() ? "required" : "");
  }
  if (!json.contains("draws")) {
    print_out("draws and modules depend on the inputs: give --inputs FILE\n");
    return;
  }
  const auto shape = [](const Json& entry) {
    return shape_text(entry["shape"].get<std::vector<int64_t>>());
  };
  for (const Json& draw : json["draws"])
    print_out("draw    {:20} {}\n", draw["name"].get<std::string>(), shape(draw));
  for (const Json& module : json["modules"]) {
    print_out("module  {:32} {:20} {}\n", module["name"].get<std::string>(), shape(module),
              module["trained"].get<bool>() ? "parameter" : "buffer");
  }
}

}  // namespace

void probe_command(const ProbeArguments& arguments, const CommonOptions& common) {
  const ComponentInfo info = strategy_of(scan_for_command(common, true), arguments.strategy);
  ProbeSettings settings;
  const ComponentChoice strategy = choose(info, arguments.settings, settings);
  std::optional<ProbeResult> result;
  if (!arguments.inputs.empty()) {
    std::optional<std::filesystem::path> modules;
    if (!arguments.modules.empty()) modules = arguments.modules;
    result = probe(strategy, read_probe_inputs(arguments.inputs, info), modules, settings);
  } else if (!arguments.list) {
    throw ConfigError("probe " + info.id +
                      " needs tensors: --inputs FILE.safetensors; --list names them");
  }
  if (result && !arguments.out.empty()) write_result(arguments.out, *result);
  if (arguments.list) {
    const Json json = list_json(info, result ? &*result : nullptr);
    if (!common.json) return print_list(json);
    print_out("{}\n", json_text(json, 2));
  } else if (common.json) {
    print_out("{}\n", json_text(result_json(*result, arguments.out), 2));
  } else {
    print_result(*result, arguments.out);
  }
}

}  // namespace retort::host
