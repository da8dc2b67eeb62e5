// Compares exported programs with what PyTorch made of them: one line of JSON a file.
// Usage: exported_check NAME.pt2 NAME.ref.safetensors [NAME.pt2 NAME.ref.safetensors ...]
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/exported/reference.hpp"

namespace {

using Json = nlohmann::ordered_json;

Json agreement_json(const retort::test::Agreement& agreement) {
  Json json = {{"equal", agreement.equal}, {"of", agreement.compared}};
  if (agreement.equal == agreement.compared) return json;
  json["worst"] = agreement.worst;
  json["where"] = agreement.where;
  return json;
}

Json check(const std::string& program, const std::string& reference) {
  Json json = {{"file", program}};
  try {
    const auto start = std::chrono::steady_clock::now();
    {
      retort::host::ParameterSet parameters(1, "network", at::kCPU);
      const retort::host::exported::Program loaded(program, parameters);
    }
    json["load_s"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto agreement = retort::test::compare_with_reference(program, reference);
    json["evaluation"] = agreement_json(agreement.evaluated);
    json["training"] = agreement_json(agreement.trained);
    json["gradients"] = agreement_json(agreement.gradients);
    json["buffers"] = agreement_json(agreement.buffers);
    json["taps"] = agreement_json(agreement.taps);
  } catch (const std::exception& failure) {
    json["error"] = failure.what();
  }
  return json;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; i += 2)
    std::printf("%s\n", check(argv[i], argv[i + 1]).dump().c_str());
  return 0;
}
