#include "framework/io/torch_format.hpp"

#include <algorithm>
#include <array>

namespace retort::host {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kPickleLooked = size_t{16} << 20;

// The keys under which training scripts keep a network's weights, the likeliest first.
constexpr std::array<std::string_view, 7> kWeightKeys = {
    "state_dict", "model_state_dict", "model_state", "model", "network", "net", "params"};

// What every file of torch.save before version 1.6 begins with: a pickled number.
constexpr std::string_view kLegacyMagic =
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";

std::string_view view_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Whether a pickle holds this whole text, in the encodings of protocols 0 to 5.
bool holds_text(std::string_view pickle, std::string_view text) {
  const char size = static_cast<char>(text.size());
  const std::string words(text);
  for (const std::string& form :
       {std::string("X") + size + std::string(3, '\0') + words, std::string("\x8c") + size + words,
        "V" + words + "\n", "S'" + words + "'\n", std::string("U") + size + words}) {
    if (pickle.find(form) != std::string_view::npos) return true;
  }
  return false;
}

/// The Python expression of the state dict in what a pickle gives when it is loaded as `loaded`.
/// `top` is the pickle's first operation: '}' and '(' make a dict.
std::string write_state_dict(std::string_view pickle, char top, const std::string& loaded) {
  const bool holds_module = holds_text(pickle, "_modules") && holds_text(pickle, "_parameters");
  if (holds_module && top != '}' && top != '(') return loaded + ".state_dict()";
  for (const std::string_view key : kWeightKeys) {
    if (!holds_text(pickle, key)) continue;
    return loaded + "[" + python_literal(key) + "]" + (holds_module ? ".state_dict()" : "");
  }
  return loaded;
}

PythonReader read_with_torch(const std::string& format, std::string_view pickle, char top,
                             const std::filesystem::path& path) {
  PythonReader reader;
  reader.format = format;
  reader.imports = "torch, ";
  const bool holds_module = holds_text(pickle, "_modules") && holds_text(pickle, "_parameters");
  // torch.load without running code knows protocol 2 alone.
  const bool runs_code =
      holds_module || (pickle.starts_with('\x80') && pickle.substr(1, 1) > "\x02");
  reader.tensors =
      write_state_dict(pickle, top,
                       "torch.load(" + python_literal(path.string()) + ", map_location=\"cpu\"" +
                           (runs_code ? ", weights_only=False)" : ")"));
  if (holds_module) reader.note = "(The file holds a whole module, whose class Python needs. ";
  if (runs_code) {
    reader.note += (holds_module ? "" : "(") +
                   std::string("This runs code of the file, which must be one that you trust.)");
  }
  return reader;
}

bool ends_with_name(std::string_view path, std::string_view name) {
  return path == name || (path.ends_with(name) && path[path.size() - name.size() - 1] == '/');
}

/// The operation that makes the object of a pickle, behind its protocol and frame.
char top_operation(std::string_view pickle) {
  size_t at = 0;
  if (pickle.starts_with('\x80')) at = 2;
  if (pickle.size() > at && pickle[at] == '\x95') at += 9;
  return pickle.size() > at ? pickle[at] : '\0';
}

/// The pickle of the object itself in a file of the old torch.save: the fourth, behind the magic
/// number, the version and the machine's facts.
std::string_view find_legacy_object(std::string_view file) {
  size_t at = 0;
  for (int pickle = 1; pickle < 4; ++pickle) {
    at = file.find(".\x80", at);
    if (at == std::string_view::npos) return "";
    ++at;
  }
  return file.substr(at);
}

}  // namespace

std::string python_literal(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') literal += '\\';
    literal += c;
  }
  return literal + "\"";
}

std::optional<PythonReader> recognise_torch_zip(const std::vector<ZipEntry>& entries,
                                                const std::filesystem::path& path) {
  const std::string file = python_literal(path.string());
  const ZipEntry* pickle = nullptr;
  bool constants = false, program = false, compiled = false;
  for (const ZipEntry& entry : entries) {
    if (pickle == nullptr && ends_with_name(entry.name, "data.pkl")) pickle = &entry;
    constants = constants || ends_with_name(entry.name, "constants.pkl");
    program = program || ends_with_name(entry.name, "serialized_exported_program.json") ||
              entry.name.find("/models/") != std::string_view::npos;
    compiled = compiled || entry.name.find("/data/aotinductor/") != std::string_view::npos;
  }
  if (program) {
    return PythonReader{"a PyTorch exported program (torch.export.save)", "torch, ",
                        "torch.export.load(" + file + ").state_dict", "safetensors.torch", ""};
  }
  if (compiled) {
    return PythonReader{
        "a compiled PyTorch program (AOTInductor), whose weights lie in machine code", "", "", "",
        ""};
  }
  if (pickle == nullptr) return std::nullopt;
  if (constants) {
    return PythonReader{"a TorchScript archive (torch.jit.save)", "torch, ",
                        "torch.jit.load(" + file + ", map_location=\"cpu\").state_dict()",
                        "safetensors.torch", ""};
  }
  const std::string_view text = view_of(pickle->content).substr(0, kPickleLooked);
  return read_with_torch("a PyTorch file (torch.save)", text, top_operation(text), path);
}

std::optional<PythonReader> recognise_pickle(std::span<const uint8_t> bytes,
                                             const std::filesystem::path& path) {
  const std::string_view text = view_of(bytes).substr(0, kPickleLooked);
  if (text.starts_with(kLegacyMagic)) {
    const std::string_view object = find_legacy_object(text);
    return read_with_torch("a PyTorch file (torch.save, the format before version 1.6)", object,
                           top_operation(object), path);
  }
  const bool binary = text.size() > 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5;
  const bool plain = text.starts_with("(dp") || text.starts_with("(lp") || text.starts_with("}q") ||
                     text.starts_with("ccollections\nOrderedDict\n");
  if (!binary && !(plain && bytes.back() == '.')) return std::nullopt;
  PythonReader reader = {"a pickled Python object", "pickle, torch, ", "", "safetensors.torch", ""};
  reader.tensors =
      write_state_dict(text, top_operation(text),
                       "pickle.load(open(" + python_literal(path.string()) + ", \"rb\"))");
  reader.note = "(This runs code of the file, which must be one that you trust.)";
  return reader;
}

std::optional<PythonReader> recognise_torch_tar(std::span<const uint8_t> bytes,
                                                const std::filesystem::path& path) {
  constexpr size_t kBlock = 512, kNameBytes = 100, kSizeAt = 124, kSizeDigits = 11, kMost = 1000;
  bool pickle = false, storages = false;
  size_t at = 0;
  for (size_t member = 0; member < kMost && at + kBlock <= bytes.size(); ++member) {
    const std::string_view header = view_of(bytes.subspan(at, kBlock));
    const std::string_view name = header.substr(0, std::min(header.find('\0'), kNameBytes));
    if (name.empty()) break;
    pickle = pickle || ends_with_name(name, "pickle");
    storages = storages || ends_with_name(name, "storages");
    uint64_t size = 0;
    for (const char digit : header.substr(kSizeAt, kSizeDigits)) {
      if (digit >= '0' && digit <= '7') size = size * 8 + static_cast<uint64_t>(digit - '0');
    }
    at += kBlock + (size + kBlock - 1) / kBlock * kBlock;
  }
  if (!pickle || !storages) return std::nullopt;
  return read_with_torch("a PyTorch file (torch.save, the tar format of 2016)", "", '}', path);
}

}  // namespace retort::host
