#include "tests/exported/reference.hpp"

#include <ATen/Parallel.h>

#include <algorithm>

#include "framework/train/weights.hpp"

namespace retort::test {
namespace {

namespace exported = host::exported;

void compare(Agreement& agreement, const std::string& name, const at::Tensor& found,
             const at::Tensor& wanted) {
  ++agreement.compared;
  const bool same = found.defined() && found.sizes() == wanted.sizes() &&
                    found.scalar_type() == wanted.scalar_type() && found.equal(wanted);
  if (same) {
    ++agreement.equal;
    return;
  }
  double difference = 1e9;
  if (found.defined() && found.sizes() == wanted.sizes() && wanted.numel() > 0) {
    const at::Tensor a = found.to(at::kDouble), b = wanted.to(at::kDouble);
    difference =
        a.sub(b).abs().max().item().toDouble() / std::max(b.abs().max().item().toDouble(), 1e-30);
  }
  if (agreement.where.empty() || !(difference <= agreement.worst)) {
    agreement.worst = difference;
    agreement.where = name;
  }
}

std::vector<at::Tensor> tensors_of(const std::vector<c10::IValue>& values) {
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& value : values)
    if (value.isTensor()) tensors.push_back(value.toTensor());
  return tensors;
}

void compare_all(Agreement& agreement, const std::vector<at::Tensor>& found,
                 const std::vector<at::Tensor>& wanted) {
  for (size_t i = 0; i < wanted.size(); ++i)
    compare(agreement, "output " + std::to_string(i), i < found.size() ? found[i] : at::Tensor(),
            wanted[i]);
}

at::Tensor first_real(const std::vector<at::Tensor>& tensors) {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [](const at::Tensor& tensor) {
    return tensor.is_floating_point();
  });
  return found == tensors.end() ? at::Tensor() : *found;
}

}  // namespace

ExportedReference::ExportedReference(const std::filesystem::path& file) {
  for (const auto& [name, tensor] : host::load_tensors(file)) tensors_[name] = tensor;
}

std::vector<at::Tensor> ExportedReference::numbered(const std::string& prefix) const {
  std::vector<at::Tensor> list;
  for (size_t i = 0;; ++i) {
    const auto found = tensors_.find(prefix + std::to_string(i));
    if (found == tensors_.end()) return list;
    list.push_back(found->second);
  }
}

std::map<std::string, at::Tensor> ExportedReference::named(const std::string& prefix) const {
  std::map<std::string, at::Tensor> found;
  for (const auto& [name, tensor] : tensors_)
    if (name.starts_with(prefix)) found[name.substr(prefix.size())] = tensor;
  return found;
}

ExportedAgreement compare_with_reference(const std::filesystem::path& program_file,
                                         const std::filesystem::path& reference_file) {
  at::set_num_threads(1);  // as PyTorch ran: sums of other parts round otherwise
  const ExportedReference reference(reference_file);
  host::ParameterSet parameters(1, "network", at::kCPU);
  exported::Program program(program_file, parameters);
  exported::HandedDraws handed;
  handed.given = reference.named("draw.");
  const exported::NamedDraws draws(1, "network", 0, &handed);
  ExportedAgreement agreement;
  exported::PassSettings settings;
  settings.draws = &draws;
  const auto taps = reference.named("tap.");
  for (const auto& [name, tap] : taps)
    if (std::find(program.taps().begin(), program.taps().end(), name) != program.taps().end())
      settings.taps.push_back(name);
  {
    const c10::NoGradGuard without_gradients;
    const exported::PassResult result = program.run(reference.inputs(), settings);
    compare_all(agreement.evaluated, tensors_of(result.outputs), reference.evaluated());
    for (size_t i = 0; i < settings.taps.size(); ++i)
      compare(agreement.taps, settings.taps[i], result.taps[i], taps.at(settings.taps[i]));
    for (const auto& [name, tap] : taps)
      if (std::find(settings.taps.begin(), settings.taps.end(), name) == settings.taps.end())
        compare(agreement.taps, name, at::Tensor(), tap);
  }
  if (reference.trained().empty()) return agreement;
  settings.taps.clear();
  settings.mode = exported::Mode::Train;
  const auto outputs = tensors_of(program.run(reference.inputs(), settings).outputs);
  std::vector<at::Tensor> detached;
  for (const at::Tensor& output : outputs) detached.push_back(output.detach());
  compare_all(agreement.trained, detached, reference.trained());
  first_real(outputs).mul(reference.projection()).sum().backward();
  for (const auto& [name, gradient] : reference.named("grad.")) {
    const host::Parameter* parameter = parameters.find(name);
    compare(agreement.gradients, name,
            parameter == nullptr ? at::Tensor() : parameter->master.grad(), gradient);
  }
  for (const auto& [name, buffer] : reference.named("buf.")) {
    const host::Parameter* parameter = parameters.find(name);
    compare(agreement.buffers, name, parameter == nullptr ? at::Tensor() : parameter->master,
            buffer);
  }
  return agreement;
}

}  // namespace retort::test
