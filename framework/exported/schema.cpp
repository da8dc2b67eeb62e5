#include "framework/exported/schema.hpp"

#include <algorithm>
#include <array>

#include "framework/exported/json_reader.hpp"

namespace retort::host::exported {
namespace {

constexpr int64_t kMajor = 8;
constexpr int kDeepestRegion = 8;
constexpr size_t kMostDimensions = 64;

Graph read_graph(const JsonReader& json, int depth);

bool is_any_of(std::string_view tag, std::initializer_list<std::string_view> tags) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

/// A number that a run may decide: {"as_int": 3}, or {"as_name": "sym_size"}.
Item read_symbol(const JsonReader& json) {
  const std::string tag = json.tag();
  if (tag == "as_int") return json.at("as_int").integer();
  if (tag == "as_name") return ValueName{json.at("as_name").text()};
  json.refuse("\"" + tag + "\" is no number that is known");
}

Argument read_symbolic_number(const JsonReader& json) {
  const std::string tag = json.tag();
  if (tag == "as_float") return json.at("as_float").real();
  if (tag == "as_bool") return json.at("as_bool").boolean();
  const Item item = read_symbol(json);
  if (const auto* name = std::get_if<ValueName>(&item)) return *name;
  return std::get<int64_t>(item);
}

template <class Entry, class Read>
std::vector<Entry> read_list(const JsonReader& json, Read read) {
  std::vector<Entry> list;
  const size_t size = json.size();
  list.reserve(size);
  for (size_t i = 0; i < size; ++i) list.push_back(read(json.entry(i)));
  return list;
}

TensorItems read_tensor_items(const JsonReader& json) {
  return {read_list<Item>(json, [](const JsonReader& entry) -> Item {
    if (entry.has("name")) return ValueName{entry.at("name").text()};
    if (entry.has("as_tensor")) return ValueName{entry.at("as_tensor").at("name").text()};
    return None{};
  })};
}

Argument read_list_argument(const std::string& tag, const JsonReader& json) {
  if (tag == "as_ints")
    return read_list<int64_t>(json, [](const JsonReader& entry) { return entry.integer(); });
  if (tag == "as_floats")
    return read_list<double>(json, [](const JsonReader& entry) { return entry.real(); });
  if (tag == "as_bools") {
    std::vector<bool> list;
    for (size_t i = 0; i < json.size(); ++i) list.push_back(json.entry(i).boolean());
    return list;
  }
  if (tag == "as_sym_ints") return IntItems{read_list<Item>(json, read_symbol)};
  if (is_any_of(tag, {"as_tensors", "as_optional_tensors"})) return read_tensor_items(json);
  json.refuse("is an argument of a kind that is not run");
}

Argument read_argument(const JsonReader& json, int depth) {
  const std::string tag = json.tag();
  if (tag == "as_none") return None{};
  const JsonReader value = json.at(tag.c_str());
  if (tag == "as_tensor") return ValueName{value.at("name").text()};
  if (tag == "as_optional_tensor") {
    if (value.has("as_tensor")) return ValueName{value.at("as_tensor").at("name").text()};
    return None{};
  }
  if (tag == "as_int") return value.integer();
  if (tag == "as_float") return value.real();
  if (tag == "as_bool") return value.boolean();
  if (tag == "as_string") return value.text();
  if (tag == "as_scalar_type") return DtypeNumber{value.integer()};
  if (tag == "as_memory_format") return MemoryFormatNumber{value.integer()};
  if (tag == "as_layout") return AnyLayout{};
  if (tag == "as_device") return AnyDevice{};
  if (is_any_of(tag, {"as_sym_int", "as_sym_float", "as_sym_bool"}))
    return read_symbolic_number(value);
  if (tag == "as_graph") {
    if (depth >= kDeepestRegion) value.refuse("is a region within too many others");
    return std::make_shared<const Graph>(read_graph(value.at("graph"), depth + 1));
  }
  return read_list_argument(tag, value);
}

/// The name of a result or of an input; nothing for a number that is part of the file.
std::optional<std::string> read_result(const JsonReader& json) {
  const std::string tag = json.tag();
  if (tag == "as_tensor") return json.at("as_tensor").at("name").text();
  if (is_any_of(tag, {"as_sym_int", "as_sym_float", "as_sym_bool"}))
    return json.at(tag.c_str()).at("as_name").text();
  if (is_any_of(tag, {"as_none", "as_int", "as_float", "as_bool", "as_string"}))
    return std::nullopt;
  json.refuse("\"" + tag + "\" is a result of a kind that is not run");
}

void read_results(const JsonReader& json, Node& node) {
  for (size_t i = 0; i < json.size(); ++i) {
    const JsonReader entry = json.entry(i);
    if (entry.tag() != "as_tensors") {
      node.outputs.push_back(read_result(entry));
      continue;
    }
    if (json.size() != 1) entry.refuse("is a list beside other results");
    node.returns_list = true;
    const JsonReader list = entry.at("as_tensors");
    for (size_t k = 0; k < list.size(); ++k)
      node.outputs.emplace_back(list.entry(k).at("name").text());
  }
}

Node read_node(const JsonReader& json, int depth) {
  Node node;
  node.target = json.at("target").text();
  if (json.has("name")) node.name = json.at("name").text();
  const JsonReader inputs = json.at("inputs");
  for (size_t i = 0; i < inputs.size(); ++i) {
    const JsonReader input = inputs.entry(i);
    node.inputs.emplace_back(input.has("name") ? input.at("name").text() : "",
                             read_argument(input.at("arg"), depth));
  }
  read_results(json.at("outputs"), node);
  if (json.has("metadata") && json.at("metadata").has("nn_module_stack"))
    node.module_stack = json.at("metadata").at("nn_module_stack").text();
  return node;
}

Graph read_graph(const JsonReader& json, int depth) {
  Graph graph;
  const JsonReader inputs = json.at("inputs"), nodes = json.at("nodes"),
                   outputs = json.at("outputs");
  for (size_t i = 0; i < inputs.size(); ++i) graph.inputs.push_back(read_result(inputs.entry(i)));
  for (size_t i = 0; i < nodes.size(); ++i) graph.nodes.push_back(read_node(nodes.entry(i), depth));
  for (size_t i = 0; i < outputs.size(); ++i)
    graph.outputs.push_back(read_argument(outputs.entry(i), depth));
  return graph;
}

InputSpec read_input_spec(const JsonReader& json) {
  InputSpec spec;
  const std::string tag = json.tag();
  const JsonReader value = json.at(tag.c_str());
  if (tag == "parameter") {
    spec.kind = InputKind::Parameter;
    spec.target = value.at("parameter_name").text();
  } else if (tag == "buffer") {
    spec.kind = InputKind::Buffer;
    spec.target = value.at("buffer_name").text();
    if (value.has("persistent")) spec.persistent = value.at("persistent").boolean();
  } else if (tag == "tensor_constant") {
    spec.kind = InputKind::Constant;
    spec.target = value.at("tensor_constant_name").text();
  } else if (tag == "user_input") {
    const std::optional<std::string> name = read_result(value.at("arg"));
    if (name) return {InputKind::User, "", *name, true};
    return {InputKind::Number, "", "", true};
  } else if (tag == "constant_input") {
    return {InputKind::Number, "", "", true};
  } else {
    json.refuse("an input of the kind \"" + tag + "\" is not run");
  }
  spec.value = value.at("arg").at("name").text();
  return spec;
}

void check_output_specs(const JsonReader& json) {
  for (size_t i = 0; i < json.size(); ++i) {
    const std::string tag = json.entry(i).tag();
    if (tag == "user_output") continue;
    json.entry(i).refuse("an output of the kind \"" + tag +
                         "\" comes from run_decompositions(), which must be left out");
  }
}

std::vector<ModuleCall> read_modules(const JsonReader& json) {
  std::vector<ModuleCall> modules;
  for (size_t i = 0; i < json.size(); ++i) {
    const JsonReader entry = json.entry(i);
    if (!entry.has("signature")) continue;
    ModuleCall call{entry.at("fqn").text(), {}};
    const JsonReader outputs = entry.at("signature").at("outputs");
    for (size_t k = 0; k < outputs.size(); ++k) {
      const JsonReader output = outputs.entry(k);
      if (output.tag() == "as_tensor")
        call.outputs.push_back(output.at("as_tensor").at("name").text());
    }
    if (!call.path.empty() && !call.outputs.empty()) modules.push_back(std::move(call));
  }
  return modules;
}

TensorForm read_form(const JsonReader& json) {
  TensorForm form;
  form.dtype = json.at("dtype").integer();
  form.sizes = read_list<int64_t>(json.at("sizes"), [](const JsonReader& size) -> int64_t {
    return size.has("as_int") ? size.at("as_int").integer() : -1;
  });
  return form;
}

void read_forms(const JsonReader& values, ProgramText& program) {
  const auto read = [&](const std::string& name) {
    if (values.has(name.c_str())) program.forms[name] = read_form(values.at(name.c_str()));
  };
  for (const InputSpec& input : program.inputs) read(input.value);
  for (const Argument& output : program.graph.outputs)
    if (const auto* name = std::get_if<ValueName>(&output)) read(name->name);
}

void check_version(const JsonReader& json) {
  const JsonReader version = json.at("schema_version");
  const int64_t major = version.at("major").integer();
  if (major == kMajor) return;
  version.refuse("is " + std::to_string(major) + "; version " + std::to_string(kMajor) +
                 " is read, which torch 2.11 to 2.14 write");
}

std::vector<int64_t> read_sizes(const JsonReader& json) {
  const auto sizes =
      read_list<int64_t>(json, [](const JsonReader& size) { return size.at("as_int").integer(); });
  if (sizes.size() > kMostDimensions) json.refuse("has too many dimensions");
  if (std::any_of(sizes.begin(), sizes.end(), [](int64_t size) { return size < 0; }))
    json.refuse("has a number below 0");
  return sizes;
}

}  // namespace

std::string describe_form(const TensorForm& form) {
  std::string text = "[";
  for (size_t i = 0; i < form.sizes.size(); ++i) {
    text += i == 0 ? "" : ", ";
    text += form.sizes[i] >= 0 ? std::to_string(form.sizes[i]) : i == 0 ? "N" : "?";
  }
  return text + "]";
}

ProgramText read_program(std::string_view text, const std::string& where) {
  const nlohmann::json parsed = parse_export(text, where);
  const JsonReader json(parsed, where);
  check_version(json);
  const JsonReader module = json.at("graph_module"), signature = module.at("signature");
  ProgramText program;
  if (json.has("torch_version")) program.torch_version = json.at("torch_version").text();
  program.graph = read_graph(module.at("graph"), 0);
  const JsonReader inputs = signature.at("input_specs");
  for (size_t i = 0; i < inputs.size(); ++i)
    program.inputs.push_back(read_input_spec(inputs.entry(i)));
  if (program.inputs.size() != program.graph.inputs.size())
    inputs.refuse("has another number of entries than the graph has inputs");
  check_output_specs(signature.at("output_specs"));
  if (module.has("module_call_graph"))
    program.modules = read_modules(module.at("module_call_graph"));
  read_forms(module.at("graph").at("tensor_values"), program);
  return program;
}

std::vector<StoredTensor> read_tensor_table(std::string_view text, const std::string& where) {
  const nlohmann::json parsed = parse_export(text, where);
  const JsonReader config = JsonReader(parsed, where).at("config");
  if (!config.value().is_object()) config.refuse("is no object");
  std::vector<StoredTensor> tensors;
  for (const auto& entry : config.value().items()) {
    const JsonReader json = config.at(entry.key().c_str());
    if (json.at("use_pickle").boolean())
      json.refuse("is a pickled object, which is never unpickled here");
    const JsonReader meta = json.at("tensor_meta");
    StoredTensor tensor;
    tensor.name = entry.key();
    tensor.member = json.at("path_name").text();
    tensor.is_parameter = json.at("is_param").boolean();
    tensor.requires_grad = meta.at("requires_grad").boolean();
    tensor.dtype = meta.at("dtype").integer();
    tensor.sizes = read_sizes(meta.at("sizes"));
    tensor.strides = read_sizes(meta.at("strides"));
    tensor.storage_offset = meta.at("storage_offset").at("as_int").integer();
    if (tensor.strides.size() != tensor.sizes.size() || tensor.storage_offset < 0)
      meta.refuse("has sizes, strides and an offset that do not fit together");
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace retort::host::exported
