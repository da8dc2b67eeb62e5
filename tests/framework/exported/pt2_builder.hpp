#pragma once

#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/framework/exported/zip_writer.hpp"

namespace retort::test {

/// A small exported program, written by hand so that a test can spoil any part of it:
/// logits = linear(flatten(relu_(conv2d(x)))) of x [N, 1, 2, 2], two classes, as torch.export writes
/// it.
struct Pt2Builder {
  using Json = nlohmann::json;

  Json model = make_model();
  Json weights = {{"config",
                   {{"conv.weight", tensor("weight_0", {2, 1, 2, 2}, {4, 4, 2, 1})},
                    {"fc.weight", tensor("weight_1", {2, 2}, {2, 1})},
                    {"fc.bias", tensor("weight_2", {2}, {1})}}}};
  Json constants = {{"config", Json::object()}};
  std::string format = "pt2", version = "0", order = "little";
  std::vector<std::pair<std::string, std::string>> extra = {};

  static Json tensor(const std::string& member, const std::vector<int64_t>& sizes,
                     const std::vector<int64_t>& strides) {
    Json size_list = Json::array(), stride_list = Json::array();
    for (const int64_t size : sizes) size_list.push_back({{"as_int", size}});
    for (const int64_t stride : strides) stride_list.push_back({{"as_int", stride}});
    return {{"path_name", member},
            {"is_param", true},
            {"use_pickle", false},
            {"tensor_meta",
             {{"dtype", 7},
              {"sizes", size_list},
              {"strides", stride_list},
              {"storage_offset", {{"as_int", 0}}},
              {"requires_grad", true}}}};
  }

  static Json name(const std::string& value) { return {{"as_tensor", {{"name", value}}}}; }
  static Json input(const std::string& key, Json argument) {
    return {{"name", key}, {"arg", std::move(argument)}, {"kind", 1}};
  }
  static Json node(const std::string& target, Json inputs, const std::string& output) {
    return {{"target", target},
            {"inputs", std::move(inputs)},
            {"outputs", Json::array({name(output)})},
            {"name", output},
            {"metadata", Json::object()}};
  }
  static Json form(const Json& sizes) {
    Json list = Json::array();
    for (const Json& size : sizes)
      list.push_back(size.is_string() ? Json{{"as_expr", {{"expr_str", size}}}}
                                      : Json{{"as_int", size}});
    return {{"dtype", 7}, {"sizes", list}};
  }

  static Json make_model() {
    const auto parameter = [](const char* value, const char* target) -> Json {
      return {{"parameter", {{"arg", {{"name", value}}}, {"parameter_name", target}}}};
    };
    Json graph = {
        {"inputs", Json::array({name("p_conv"), name("p_fc"), name("p_bias"), name("x")})},
        {"outputs", Json::array({name("linear")})},
        {"nodes",
         Json::array(
             {node("torch.ops.aten.conv2d.default",
                   Json::array({input("input", name("x")), input("weight", name("p_conv"))}),
                   "conv2d"),
              node("torch.ops.aten.relu_.default", Json::array({input("self", name("conv2d"))}),
                   "relu_"),
              node("torch.ops.aten.flatten.using_ints",
                   Json::array({input("self", name("relu_")), input("start_dim", {{"as_int", 1}})}),
                   "flatten"),
              node("torch.ops.aten.linear.default",
                   Json::array({input("input", name("flatten")), input("weight", name("p_fc")),
                                input("bias", name("p_bias"))}),
                   "linear")})},
        {"tensor_values", {{"x", form({"s77", 1, 2, 2})}, {"linear", form({"s77", 2})}}}};
    return {{"schema_version", {{"major", 8}, {"minor", 20}}},
            {"torch_version", "2.13.0+cpu"},
            {"graph_module",
             {{"graph", graph},
              {"signature",
               {{"input_specs", Json::array({parameter("p_conv", "conv.weight"),
                                             parameter("p_fc", "fc.weight"),
                                             parameter("p_bias", "fc.bias"),
                                             {{"user_input", {{"arg", name("x")}}}}})},
                {"output_specs", Json::array({{{"user_output", {{"arg", name("linear")}}}}})}}},
              {"module_call_graph", Json::array()}}}};
  }

  Json& graph() { return model["graph_module"]["graph"]; }
  Json& nodes() { return graph()["nodes"]; }
  Json& meta(const std::string& weight) { return weights["config"][weight]["tensor_meta"]; }

  /// Values 0.1, 0.2 ..
  static std::string floats(int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      const float value = 0.1F * static_cast<float>(i + 1);
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    return bytes;
  }

  std::string make() const {
    ZipWriter zip;
    zip.add("data/weights/weight_0", floats(8));
    zip.add("data/weights/weight_1", floats(4));
    zip.add("data/weights/weight_2", floats(2));
    zip.add("data/weights/model_weights_config.json", weights.dump());
    zip.add("data/constants/model_constants_config.json", constants.dump());
    zip.add("models/model.json", model.dump());
    for (const auto& [member, content] : extra) zip.add(member, content);
    zip.add("archive_format", format);
    zip.add("archive_version", version);
    zip.add("byteorder", order);
    return zip.finish();
  }
};

}  // namespace retort::test
