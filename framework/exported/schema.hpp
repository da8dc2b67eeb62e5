#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What torch.export writes into models/model.json, as plain values: names, numbers and lists, checked
/// for form alone. Nothing here knows an operator or LibTorch.
/// Source:  PyTorch, torch/_export/serde/schema.py, version 8.
namespace retort::host::exported {

/// A tensor or number of a graph, by the name that its maker gave it.
struct ValueName {
  std::string name;
};
struct None {};
/// An element type by export's own number: float32 is 7.
struct DtypeNumber {
  int64_t number = 0;
};
/// A memory format by export's own number: 1 is contiguous.
struct MemoryFormatNumber {
  int64_t number = 0;
};
/// A layout, of which only strided ones are run, and a device, which is the run's and not the file's.
struct AnyLayout {};
struct AnyDevice {};

/// An entry of a list that is made anew in each run.
using Item = std::variant<None, ValueName, int64_t>;
struct TensorItems {
  std::vector<Item> items;
};
struct IntItems {
  std::vector<Item> items;
};

struct Graph;

/// What an operator is given.
using Argument = std::variant<None, ValueName, int64_t, double, bool, std::string, DtypeNumber,
                              MemoryFormatNumber, AnyLayout, AnyDevice, std::vector<int64_t>,
                              std::vector<double>, std::vector<bool>, TensorItems, IntItems,
                              std::shared_ptr<const Graph>>;

/// One call of an operator.
struct Node {
  std::string name;
  std::string target;                                    // "torch.ops.aten.conv2d.default"
  std::vector<std::pair<std::string, Argument>> inputs;  // by the schema's names; "" by position
  std::vector<std::optional<std::string>> outputs;       // nothing: a result that nobody names
  bool returns_list = false;                             // the outputs are the entries of one list
  std::string module_stack;  // "key,path,class;key,path,class", the root first; may be empty
};

/// Calls in the order in which they run.
struct Graph {
  std::vector<std::optional<std::string>> inputs;
  std::vector<Node> nodes;
  std::vector<Argument> outputs;
};

/// What a graph's input stands for.
enum class InputKind { Parameter, Buffer, Constant, User, Number };
struct InputSpec {
  InputKind kind = InputKind::User;
  std::string target;  // of a parameter, buffer or constant: its name in the state_dict
  std::string value;   // its name in the graph; "" for a number
  bool persistent = true;
};

/// What one call of a module returned.
struct ModuleCall {
  std::string path;                  // "layer1.0"; "layer1.0@1" for the second call
  std::vector<std::string> outputs;  // tensors, by their names in the graph
};

/// Type and sizes of a tensor; -1 for a size that a run decides.
struct TensorForm {
  int64_t dtype = 0;  // export's number
  std::vector<int64_t> sizes;
};

/// "[N, 3, 32, 32]".
std::string describe_form(const TensorForm& form);

struct ProgramText {
  Graph graph;
  std::vector<InputSpec> inputs;
  std::vector<ModuleCall> modules;  // empty where the file was written without their signatures
  std::map<std::string, TensorForm> forms;  // of the graph's inputs and outputs, by value name
  std::string torch_version;
};

/// A tensor of a file: where its bytes lie, and how.
struct StoredTensor {
  std::string name;    // in the state_dict
  std::string member;  // of its storage, which several may share
  bool is_parameter = false;
  bool requires_grad = false;
  int64_t dtype = 0;  // export's number
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
  int64_t storage_offset = 0;  // in elements
};

/// Reads a program. `where` begins messages: "net.pt2: models/model.json".
/// Throws: DataError with the place, what was found and the remedy, for a text that is no such
///         program, one of another major version, and one that uses what is not run.
ProgramText read_program(std::string_view json, const std::string& where);

/// Reads a table of tensors, data/weights/model_weights_config.json or that of the constants.
/// Throws: DataError as read_program; also for tensors that Python would have to unpickle.
std::vector<StoredTensor> read_tensor_table(std::string_view json, const std::string& where);

}  // namespace retort::host::exported
