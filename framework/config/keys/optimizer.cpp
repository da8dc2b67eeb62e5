#include "framework/config/keys/optimizer.hpp"

#include <vector>

#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

constexpr EnumNames<OptimizerConfig::Kind, 3> kOptimizerNames = {{"sgd", "adam", "adamw"}};

OptimizerConfig make_optimizer_defaults(OptimizerConfig::Kind kind) {
  OptimizerConfig optimizer;
  optimizer.kind = kind;
  if (kind == OptimizerConfig::Kind::Sgd) return optimizer;
  optimizer.lr = 1e-3;
  optimizer.weight_decay = kind == OptimizerConfig::Kind::AdamW ? 0.01 : 0;
  return optimizer;
}

void read_betas(Section& section, OptimizerConfig& optimizer) {
  std::vector<double> betas = {optimizer.beta1, optimizer.beta2};
  const Node* node = section.reals("betas", Range::below_one(), betas, "[0.9, 0.999]",
                                   "adam, adamw: decay of the gradient's two moving averages");
  if (node == nullptr) return;
  if (betas.size() != 2) {
    section.diagnostics().add(node->place, section.key_path("betas"),
                              "must be two numbers (default [0.9, 0.999])");
    return;
  }
  optimizer.beta1 = betas[0];
  optimizer.beta2 = betas[1];
}

}  // namespace

void read_optimizer(Section section, OptimizerConfig& optimizer) {
  OptimizerConfig::Kind kind = optimizer.kind;
  kOptimizerNames.read(section, "name", kind, "what steps; \"sgd\" alone may stand for the table");
  if (kind != optimizer.kind) optimizer = make_optimizer_defaults(kind);
  const std::string name = kOptimizerNames[kind];
  const bool sgd = kind == OptimizerConfig::Kind::Sgd;

  section.real("lr", Range::above(0), optimizer.lr, "learning rate; adam, adamw: 0.001");
  section.real("weight_decay", Range::at_least(0), optimizer.weight_decay,
               "pull of the weights to 0; adam: 0, adamw: 0.01");
  section.refuse_rest(sgd ? "" : name + " has none; sgd does");
  section.real("momentum", Range::below_one(), optimizer.momentum, "sgd: share of the last step");
  const Node* nesterov = section.boolean("nesterov", optimizer.nesterov, "sgd: looks ahead");
  section.refuse_rest(sgd ? "sgd has none; adam and adamw do" : "");
  read_betas(section, optimizer);
  section.real("eps", Range::above(0), optimizer.eps, "adam, adamw: keeps the divisor above 0");
  if (sgd && optimizer.nesterov && optimizer.momentum == 0) {
    section.diagnostics().add(nesterov != nullptr ? nesterov->place : section.place(),
                              section.key_path("nesterov") + " = true", "needs momentum > 0");
  }
  section.finish();
}

std::string write_optimizer(const OptimizerConfig& optimizer) {
  std::vector<std::string> entries = {
      write_entry("name", write_value(kOptimizerNames[optimizer.kind])),
      write_entry("lr", write_value(optimizer.lr))};
  if (optimizer.kind == OptimizerConfig::Kind::Sgd) {
    entries.push_back(write_entry("momentum", write_value(optimizer.momentum)));
    entries.push_back(write_entry("nesterov", write_value(optimizer.nesterov)));
  } else {
    const std::vector<double> betas = {optimizer.beta1, optimizer.beta2};
    entries.push_back(write_entry("betas", write_list(betas)));
    entries.push_back(write_entry("eps", write_value(optimizer.eps)));
  }
  entries.push_back(write_entry("weight_decay", write_value(optimizer.weight_decay)));
  return write_braces(entries);
}

}  // namespace retort::host::config
