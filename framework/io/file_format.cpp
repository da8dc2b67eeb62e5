#include "framework/io/file_format.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "framework/base/error.hpp"
#include "framework/io/file_bytes.hpp"
#include "framework/io/torch_format.hpp"
#include "framework/io/zip_directory.hpp"

namespace retort::host {
namespace {

using Path = std::filesystem::path;
using Bytes = std::span<const uint8_t>;
using std::string_view_literals::operator""sv;

constexpr size_t kHead = 4096;

struct Magic {
  std::string_view bytes;
  size_t offset;
  std::string_view sentence;
};

// Formats that fixed bytes tell apart, and for which a sentence is enough.
constexpr std::array kMagics = {
    Magic{"version https://git-lfs"sv, 0,
          "is a pointer of Git LFS, not the file itself; fetch that: git lfs pull"},
    Magic{"BZh"sv, 0, "is compressed with bzip2; unpack it with bunzip2"},
    Magic{"\xfd\x37zXZ\0"sv, 0, "is compressed with xz; unpack it with unxz"},
    Magic{"\x28\xb5\x2f\xfd"sv, 0, "is compressed with Zstandard; unpack it with unzstd"},
    Magic{"7z\xbc\xaf\x27\x1c"sv, 0, "is a 7-Zip archive; unpack it, and name the file in it"},
    Magic{"Rar!\x1a\x07"sv, 0, "is a RAR archive; unpack it, and name the file in it"},
    Magic{"GGUF"sv, 0, "is a GGUF file of llama.cpp, not a safetensors file"},
    Magic{"TFL3"sv, 4, "is a TensorFlow Lite model, not a safetensors file"},
    Magic{"MATLAB 5.0 MAT-file"sv, 0, "is a MATLAB file, not a safetensors file"},
    Magic{"\x7f\x45LF"sv, 0, "is a program or library, not a safetensors file"},
};

std::string_view view_head(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kHead)};
}

/// "DIR/teacher.safetensors" for DIR/teacher.pth.tar.
Path name_converted(const Path& path) {
  Path name = path.filename();
  const bool is_named_so = name.extension() == ".safetensors";
  for (const char* ending :
       {".safetensors", ".tar", ".pth", ".pt", ".pt2", ".pkl", ".pickle", ".bin", ".ckpt", ".npz",
        ".npy", ".h5", ".hdf5", ".onnx", ".json", ".index"}) {
    if (name.extension() == ending) name = name.stem();
  }
  name += is_named_so ? ".converted.safetensors" : ".safetensors";
  return path.parent_path() / name;
}

std::string write_conversion(const PythonReader& reader, const Path& path) {
  const std::string format = "is " + reader.format + ", not a safetensors file";
  if (reader.tensors.empty()) return format;
  std::string tensors = reader.tensors;
  if (reader.saver == "safetensors.torch") {
    tensors = "{n: torch.as_tensor(t).contiguous().clone() for n, t in " + tensors +
              ".items() if hasattr(t, \"shape\")}";
  }
  return format + "; two lines of Python convert it:\n  import " + reader.imports + reader.saver +
         "\n  " + reader.saver + ".save_file(" + tensors + ", " +
         python_literal(name_converted(path).string()) + ")\nThen name the file that they write." +
         (reader.note.empty() ? "" : " " + reader.note);
}

std::string convert_with_numpy(const std::string& format, const std::string& imports,
                               const std::string& tensors, const Path& path,
                               const std::string& note = "") {
  return write_conversion({format, imports, tensors, "safetensors.numpy", note}, path);
}

std::string describe_zip(Bytes bytes, const Path& path) {
  const auto entries = read_zip_directory(bytes);
  if (!entries) {
    return "is a zip archive, as torch.save writes one, but cut off or damaged: its directory is "
           "missing; fetch it again";
  }
  if (const auto torch = recognise_torch_zip(*entries, path)) return write_conversion(*torch, path);
  for (const ZipEntry& entry : *entries) {
    if (entry.name == "model.weights.h5") return "is a Keras model, not a safetensors file";
    if (!entry.name.ends_with(".npy")) continue;
    return convert_with_numpy("a NumPy archive (.npz)", "numpy, ",
                              "dict(numpy.load(" + python_literal(path.string()) + "))", path);
  }
  return "is a zip archive, not a safetensors file; unpack it, and name the file in it";
}

std::string describe_hdf5(const Path& path) {
  return convert_with_numpy(
      "an HDF5 file (.h5)", "h5py, ",
      "(lambda w: h5py.File(" + python_literal(path.string()) +
          ").visititems(lambda n, d: w.update({n.replace(\"/\", \".\"): d[()]}) if hasattr(d, "
          "\"shape\") else None) or w)({})",
      path,
      "Keras keeps kernels as [height, width, in, out]: transpose them to [out, in, height, "
      "width].");
}

/// ONNX and TensorFlow's SavedModel are protocol buffers, without a magic number: a version of one
/// byte, then a field of a model.
std::string describe_protobuf(std::string_view head, const Path& path) {
  constexpr std::string_view kOnnxFields = "\x12\x1a\x22\x28\x32\x3a\x42\x72"sv;
  if (head.size() < 8 || head[0] != '\x08' || head[1] < 1 || head[1] > 32) return "";
  const bool has_text = head[4] >= ' ' && head[4] <= '~';
  if (head[1] == 1 && head[2] == '\x12' && !has_text) {
    return "is a TensorFlow SavedModel, not a safetensors file";
  }
  if (kOnnxFields.find(head[2]) == std::string_view::npos) return "";
  return convert_with_numpy("an ONNX model", "onnx.numpy_helper, ",
                            "{t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(" +
                                python_literal(path.string()) + ").graph.initializer}",
                            path);
}

std::string describe_text(std::string_view head, const Path& path) {
  std::string start(head.substr(std::min(head.find_first_not_of(" \t\r\n"), head.size()), 16));
  std::transform(start.begin(), start.end(), start.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (start.starts_with("<!doctype html") || start.starts_with("<html")) {
    return "is a web page, not the file that it stands for; fetch that again, and see what the "
           "server answers";
  }
  if (start.starts_with("<?xml")) return "is an XML text, not a safetensors file";
  if (!start.starts_with('{')) return "";
  if (head.find("\"weight_map\"") == std::string_view::npos &&
      head.find("\"metadata\"") == std::string_view::npos) {
    return "is a JSON text, not a safetensors file";
  }
  const std::string folder = path.parent_path().empty() ? "" : path.parent_path().string() + "/";
  return write_conversion(
      {"the index of weights in several files", "json, torch, ",
       "{n: t for f in set(json.load(open(" + python_literal(path.string()) +
           "))[\"weight_map\"].values()) for n, t in safetensors.torch.load_file(" +
           python_literal(folder) + " + f).items()}",
       "safetensors.torch", ""},
      path);
}

std::string describe_gzip(const Path& path) {
  const std::string packed = "is compressed with gzip; unpack it with gunzip";
  try {
    const FileBytes head = read_head(path, kHead);
    const bool is_tar = view_head(head.bytes()).substr(0, 262).ends_with("ustar");
    return is_tar ? "is a tar archive compressed with gzip; unpack it with tar -xf, and name the "
                    "file in it"
                  : packed;
  } catch (const Error&) {
    return packed;
  }
}

}  // namespace

std::string describe_other_format(std::span<const uint8_t> bytes,
                                  const std::filesystem::path& path) {
  const std::string_view head = view_head(bytes);
  if (head.empty()) return "is empty (0 bytes); fetch or write it again";
  for (const Magic& magic : kMagics) {
    if (head.substr(std::min(magic.offset, head.size())).starts_with(magic.bytes)) {
      return std::string(magic.sentence);
    }
  }
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) {
    return describe_zip(bytes, path);
  }
  if (head.starts_with("\x89HDF\r\n\x1a\n")) return describe_hdf5(path);
  if (head.starts_with("\x1f\x8b")) return describe_gzip(path);
  if (head.starts_with("\x93NUMPY")) {
    return convert_with_numpy("a NumPy array (.npy), which has no name", "numpy, ",
                              "{\"NAME\": numpy.load(" + python_literal(path.string()) + ")}",
                              path);
  }
  if (head.substr(0, 262).ends_with("ustar")) {
    const auto torch = recognise_torch_tar(bytes, path);
    return torch ? write_conversion(*torch, path)
                 : "is a tar archive; unpack it with tar -xf, and name the file in it";
  }
  if (const auto pickle = recognise_pickle(bytes, path)) return write_conversion(*pickle, path);
  const std::string text = describe_text(head, path);
  return text.empty() ? describe_protobuf(head, path) : text;
}

}  // namespace retort::host
