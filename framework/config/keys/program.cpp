#include "framework/config/keys/program.hpp"

#include <system_error>

#include "framework/config/enum_names.hpp"
#include "framework/config/toml_writer.hpp"
#include "framework/config/values.hpp"

namespace retort::host::config {
namespace {

namespace fs = std::filesystem;

constexpr EnumNames<ProgramStart, 2> kStartNames = {{"file", "new"}};

}  // namespace

fs::path find_file(const Node& node, const std::string& text, const std::string& what,
                   const std::string& kind, Diagnostics& diagnostics) {
  const bool from_file = node.place.line > 0;
  const fs::path folder = from_file ? fs::path(node.place.file).parent_path() : fs::path();
  std::error_code error;
  const fs::path path = fs::absolute(folder / text, error).lexically_normal();
  if (text.empty() || !fs::exists(path, error)) {
    diagnostics.add(node.place, what,
                    "not found (tried " + path.string() + "); a path is relative to " +
                        (from_file ? "the file it stands in" : "the current folder"));
  } else if (!fs::is_regular_file(path, error)) {
    diagnostics.add(node.place, what, "not a file; name " + kind);
  }
  return path;
}

void read_program(Section& section, bool is_exported, ProgramConfig& program) {
  constexpr const char* kOther = "only a network of model = \"exported\" has it; remove it";
  const bool reads = is_exported || section.schema() != nullptr;
  if (!reads) {
    for (const char* key : {"file", "logits", "start"}) section.refuse(key, kOther);
    return;
  }
  std::string text;
  const Node* file =
      section.path("file", PathFrom::File, text,
                   "of model = \"exported\": what torch.export wrote, relative to this file");
  if (file != nullptr) {
    program.file_place = file->place;
    program.file = find_file(*file, text, subject(section.key_path("file"), *file), "a .pt2 file",
                             section.diagnostics());
  } else if (section.present() && section.node()->find("file") == nullptr) {
    section.diagnostics().add(section.place(), section.key_path("file"),
                              "missing; name what torch.export wrote: file = \"net.pt2\"");
  }
  if (const Node* node = section.text("logits", program.logits,
                                      "of model = \"exported\": \"output#1\" where not the first "
                                      "output is the logits")) {
    program.logits_place = node->place;
  }
  // Without a default to print: with a plugin's model there is no such key.
  const Node* start = section.take("start", "choice", "file, new", "",
                                   "of model = \"exported\": the file's values, or new ones");
  auto position = static_cast<int64_t>(program.start);
  if (start == nullptr || !read_choice(*start, section.key_path("start"), kStartNames.list(),
                                       position, "", section.diagnostics()))
    return;
  program.start = static_cast<ProgramStart>(position);
  program.start_place = start->place;
}

std::string write_program(const ProgramConfig& program) {
  std::string text;
  if (!program.file.empty()) text += write_line("file", write_value(program.file.string()));
  if (!program.logits.empty()) text += write_line("logits", write_value(program.logits));
  if (program.start != ProgramStart::File)
    text += write_line("start", write_value(kStartNames[program.start]));
  return text;
}

}  // namespace retort::host::config
