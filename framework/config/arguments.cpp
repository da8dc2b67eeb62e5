#include "framework/config/arguments.hpp"

#include <algorithm>
#include <utility>

#include "framework/config/component.hpp"
#include "framework/config/overrides.hpp"

namespace retort::host::config {
namespace {

constexpr const char* kOption = "option";
const Place kCommandLine{"command line", 0, 0};

/// The keys of a command line by whose they are.
class SortedKeys {
 public:
  SortedKeys(const ComponentInfo& info, std::string command, std::vector<std::string> host_keys,
             Diagnostics& diagnostics)
      : info_(info),
        command_(std::move(command)),
        host_keys_(std::move(host_keys)),
        diagnostics_(diagnostics) {}

  void add(const Node& tree) {
    for (const Node& item : tree.items) {
      if (begins_table(item.key) && item.is(Node::Kind::Table)) continue;  // below
      const bool host = is_host_key(item.key), option = is_option(item.key);
      if (host && option) {
        tell_of_clash(item);
      } else if (begins_table(item.key) && !option) {
        tell_of_word(item);
      } else {
        (host ? host_ : option ? options_ : unknown_).items.push_back(item);
      }
    }
    add_table(tree.find(kOption), options_);
    add_table(tree.find(command_), host_);
  }

  const Node& host() const { return host_; }
  const Node& options() const { return options_; }

  /// Adds a mistake for each key that is nobody's.
  void refuse_unknown() {
    Section section(&unknown_, "", kCommandLine, diagnostics_);
    for (const std::string& key : host_keys_) section.take(key);
    section.begin_options();
    for (const OptionInfo& option : info_.options) section.take(option.name);
    section.finish();
  }

 private:
  bool is_option(const std::string& key) const {
    return std::any_of(info_.options.begin(), info_.options.end(),
                       [&](const OptionInfo& option) { return option.name == key; });
  }

  bool begins_table(const std::string& key) const { return key == kOption || key == command_; }

  bool is_host_key(const std::string& key) const {
    return std::find(host_keys_.begin(), host_keys_.end(), key) != host_keys_.end();
  }

  void tell_of_word(const Node& item) {
    diagnostics_.add(item.key_place, subject(item.key, item),
                     "names no key; write " + item.key + ".NAME=VALUE");
  }

  void tell_of_clash(const Node& item) {
    diagnostics_.add(item.key_place, subject(key_text(item.key), item),
                     "is a key of " + command_ + " and an option of " + info_.id + "; write " +
                         command_ + "." + item.key + " or " + kOption + "." + item.key);
  }

  /// The keys below "option." or the command's name.
  void add_table(const Node* table, Node& keys) {
    if (table == nullptr || !table->is(Node::Kind::Table)) return;
    for (const Node& item : table->items) {
      if (keys.find(item.key) == nullptr) {
        keys.items.push_back(item);
        continue;
      }
      diagnostics_.add(item.key_place, table->key + "." + key_text(item.key),
                       "is the same as " + key_text(item.key) + "; give one of the two");
    }
  }

  const ComponentInfo& info_;
  std::string command_;
  std::vector<std::string> host_keys_;
  Diagnostics& diagnostics_;
  Node host_, options_, unknown_;
};

/// The names that a command reads.
std::vector<std::string> keys_of(const std::function<void(Section&)>& read_host_keys) {
  Diagnostics unused;
  Section empty(nullptr, "", kCommandLine, unused);
  read_host_keys(empty);
  return empty.host_keys();
}

}  // namespace

ComponentChoice choose_component(const ComponentInfo& info, const std::string& command,
                                 const std::vector<std::string>& arguments,
                                 const std::function<void(Section&)>& read_host_keys) {
  Diagnostics diagnostics;
  Node tree;
  for (const std::string& argument : arguments) apply_override(tree, argument, diagnostics);
  SortedKeys keys(info, command, keys_of(read_host_keys), diagnostics);
  keys.add(tree);
  Section host(&keys.host(), "", kCommandLine, diagnostics);
  read_host_keys(host);
  host.finish();
  ComponentChoice choice;
  choice.info = info;
  Section options(&keys.options(), "", kCommandLine, diagnostics);
  read_options(options, choice);
  options.finish();
  keys.refuse_unknown();
  diagnostics.throw_if_any();
  return choice;
}

}  // namespace retort::host::config
