#include "framework/config/keys/run.hpp"

#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

constexpr EnumNames<DeviceChoice, 3> kDeviceNames = {{"auto", "cpu", "cuda"}};
constexpr EnumNames<Precision, 2> kPrecisionNames = {{"fp32", "bf16"}};

void read_out(Section& section, RunConfig& run) {
  std::string out = run.out.string();
  const Node* node =
      section.path("out", PathFrom::Start, out, "folder of the run folders: OUT/NAME/001");
  if (out.empty()) {
    section.diagnostics().add(node->place, section.key_path("out") + " \"\"",
                              "must name a folder (default \"runs\")");
  }
  run.out = out;
}

}  // namespace

void read_run(Section section, RunConfig& run) {
  kDeviceNames.read(section, "device", run.device,
                    "where to compute; auto takes a GPU where there is one");
  kPrecisionNames.read(section, "precision", run.precision, "numbers in the networks' passes");
  section.boolean("channels_last", run.channels_last,
                  "memory format of images and convolution weights");
  section.integer("threads", Range::between(0, 1024), run.threads, "0: the machine's cores");
  read_out(section, run);
  section.boolean("deterministic", run.deterministic,
                  "on a GPU, only algorithms that give the same bits each time");
  section.integer("checkpoint_steps", Range::at_least(0), run.checkpoint_steps,
                  "saves also every so many steps; 0: after each epoch");
  section.boolean("tensorboard", run.tensorboard, "writes event files for TensorBoard");
  section.finish();
}

std::string write_run(const RunConfig& run) {
  return "\n[run]\n" + write_line("device", write_value(kDeviceNames[run.device])) +
         write_line("precision", write_value(kPrecisionNames[run.precision])) +
         write_line("channels_last", write_value(run.channels_last)) +
         write_line("threads", write_value(run.threads)) +
         write_line("out", write_value(run.out.string())) +
         write_line("deterministic", write_value(run.deterministic)) +
         write_line("checkpoint_steps", write_value(run.checkpoint_steps)) +
         write_line("tensorboard", write_value(run.tensorboard));
}

}  // namespace retort::host::config
