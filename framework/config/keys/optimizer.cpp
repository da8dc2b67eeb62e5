#include "framework/config/keys/optimizer.hpp"

#include <vector>

#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

using Kind = OptimizerConfig::Kind;

constexpr EnumNames<Kind, 4> kOptimizerNames = {{"sgd", "adam", "adamw", "dot"}};

bool is_adam(Kind kind) { return kind == Kind::Adam || kind == Kind::AdamW; }

OptimizerConfig make_optimizer_defaults(Kind kind) {
  OptimizerConfig optimizer;
  optimizer.kind = kind;
  if (!is_adam(kind)) return optimizer;
  optimizer.lr = 1e-3;
  optimizer.weight_decay = kind == Kind::AdamW ? 0.01 : 0;
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

/// Reads delta, and checks what it makes of the momentum; what is inherited was checked before.
void read_delta(Section& section, OptimizerConfig& optimizer, const Node* momentum) {
  const size_t mistakes = section.diagnostics().count();
  const Node* delta = section.real("delta", Range::below_one(), optimizer.delta,
                                   "dot: what the momentum of the task's gradient has less, and "
                                   "that of the transfers' more");
  if (section.diagnostics().count() > mistakes || optimizer.kind != Kind::Dot) return;
  const Node* told = delta != nullptr ? delta : momentum;
  const bool fits =
      optimizer.delta <= optimizer.momentum && optimizer.momentum + optimizer.delta < 1;
  if (fits || told == nullptr) return;
  section.diagnostics().add(
      told->place, section.key_path("delta") + " = " + real_text(optimizer.delta),
      "must be <= momentum and < 1 - momentum; momentum is " + real_text(optimizer.momentum));
}

}  // namespace

void read_optimizer(Section section, OptimizerConfig& optimizer) {
  Kind kind = optimizer.kind;
  kOptimizerNames.read(section, "name", kind, "what steps; \"sgd\" alone may stand for the table");
  if (kind != optimizer.kind) optimizer = make_optimizer_defaults(kind);
  const auto refuse_rest_unless = [&](bool exist, const std::string& who) {
    section.refuse_rest(exist ? "" : std::string(kOptimizerNames[kind]) + " has none; " + who);
  };

  section.real("lr", Range::above(0), optimizer.lr, "learning rate; adam, adamw: 0.001");
  section.real("weight_decay", Range::at_least(0), optimizer.weight_decay,
               "pull of the weights to 0; adam: 0, adamw: 0.01");
  refuse_rest_unless(!is_adam(kind), "sgd and dot do");
  const Node* momentum = section.real("momentum", Range::below_one(), optimizer.momentum,
                                      "sgd, dot: share of the last step");
  refuse_rest_unless(kind == Kind::Sgd, "sgd does");
  const Node* nesterov = section.boolean("nesterov", optimizer.nesterov, "sgd: looks ahead");
  refuse_rest_unless(kind == Kind::Dot, "dot does");
  read_delta(section, optimizer, momentum);
  refuse_rest_unless(is_adam(kind), "adam and adamw do");
  read_betas(section, optimizer);
  section.real("eps", Range::above(0), optimizer.eps, "adam, adamw: keeps the divisor above 0");
  if (kind == Kind::Sgd && optimizer.nesterov && optimizer.momentum == 0) {
    section.diagnostics().add(nesterov != nullptr ? nesterov->place : section.place(),
                              section.key_path("nesterov") + " = true", "needs momentum > 0");
  }
  section.finish();
}

std::string write_optimizer(const OptimizerConfig& optimizer) {
  std::vector<std::string> entries = {
      write_entry("name", write_value(kOptimizerNames[optimizer.kind])),
      write_entry("lr", write_value(optimizer.lr))};
  if (is_adam(optimizer.kind)) {
    const std::vector<double> betas = {optimizer.beta1, optimizer.beta2};
    entries.push_back(write_entry("betas", write_list(betas)));
    entries.push_back(write_entry("eps", write_value(optimizer.eps)));
  } else {
    entries.push_back(write_entry("momentum", write_value(optimizer.momentum)));
    entries.push_back(optimizer.kind == Kind::Dot
                          ? write_entry("delta", write_value(optimizer.delta))
                          : write_entry("nesterov", write_value(optimizer.nesterov)));
  }
  entries.push_back(write_entry("weight_decay", write_value(optimizer.weight_decay)));
  return write_braces(entries);
}

}  // namespace retort::host::config
