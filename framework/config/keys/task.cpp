#include "framework/config/keys/task.hpp"

#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"

namespace retort::host::config {
namespace {

constexpr EnumNames<TaskLoss, 1> kTaskLossNames = {{"cross_entropy"}};

}  // namespace

void read_task(Section section, TaskConfig& task) {
  kTaskLossNames.read(section, "loss", task.loss, "loss of the labels");
  section.real("weight", Range::at_least(0), task.weight, "its factor");
  section.finish();
}

std::string write_task(const TaskConfig& task) {
  return "\n[task]\n" + write_line("loss", write_value(kTaskLossNames[task.loss])) +
         write_line("weight", write_value(task.weight));
}

}  // namespace retort::host::config
