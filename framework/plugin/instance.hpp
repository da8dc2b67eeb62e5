#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "framework/base/value.hpp"
#include "framework/plugin/call_plugin.hpp"
#include "framework/plugin/library.hpp"

namespace retort::host {

/// One living component: created, its options set, destroyed at the end.
class Instance {
 public:
  /// Creates it and sets every option, in the order of the manifest.
  /// Throws: what the plugin reports; ConfigError where a value is not of its option's type.
  Instance(std::shared_ptr<Library> library, const ComponentInfo& info,
           const std::vector<OptionValue>& options);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  /// The first argument of every function of an interface.
  void* self() const { return self_; }
  const ComponentInfo& info() const { return info_; }

  /// The functions of an interface. The caller needs `size` bytes of it: a newer plugin's are
  /// longer, an older one's may be shorter.
  /// Throws: PluginError where the component lacks the interface, or its struct is too short.
  template <class Interface>
  const Interface& interface(const char* id, size_t size = sizeof(Interface)) const {
    return *static_cast<const Interface*>(find_interface(id, size));
  }
  /// Whether the component has that interface.
  bool has_interface(const char* id) const { return find_interface(id) != nullptr; }

 private:
  const void* find_interface(const char* id) const;
  const void* find_interface(const char* id, size_t size) const;
  void set_options();
  void destroy() noexcept;

  std::shared_ptr<Library> library_;
  ComponentInfo info_;
  std::vector<OptionValue> options_;  // the plugin keeps pointers to their texts
  const PluginName& name_;
  const retort_component& functions_;
  void* self_ = nullptr;
};

}  // namespace retort::host
