#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/diagnostics.hpp"
#include "framework/config/node.hpp"
#include "framework/config/values.hpp"

namespace retort::host::config {

/// What a path is relative to. File: the file that it stands in, or for one from the command line the
/// current folder; it is absolute as soon as it is read. Start: the working directory of the run's start.
enum class PathFrom { NoPath, File, Start };

/// One key as its reader declares it: what `retort inspect experiment` prints.
struct KeyInfo {
  std::string path;      // as an override names it: "transfer[0].weight"
  std::string type;      // "integer", "number", "text", "true or false", "one of ...", "list ..."
  std::string accepted;  // ">= 0 and < 1"; "" where any value is
  std::string default_value;  // as TOML writes it; "" where there is none
  std::string text;           // what it does
  // false: only beside another value of the key it depends on, or in a table that is not there by
  // itself
  bool applies = true;
  bool reserved = false;  // kept for later: it is refused, and no option may have its name
  PathFrom path_from = PathFrom::NoPath;
};
using Schema = std::vector<KeyInfo>;

/// A table of the experiment file while it is read: whoever reads it asks for each key, and what
/// nobody asked for is an unknown key. A section that is absent reads as an empty one. With a schema,
/// each key that is asked for is also written there: the readers are the one declaration of it.
class Section {
 public:
  /// `node` may be null. A node that is no table is a mistake, and reads as an empty section.
  Section(const Node* node, std::string path, const Place& fallback, Diagnostics& diagnostics,
          Schema* schema = nullptr);

  /// The value of a key, or null.
  const Node* take(const std::string& key);

  /// The same for a key whose value the caller reads; the rest of KeyInfo goes to the schema.
  const Node* take(const std::string& key, const std::string& type, const std::string& accepted,
                   const std::string& default_value, const std::string& help);

  /// Read a key if it is there; `value` holds the default before. Return its node where a good
  /// value was read. `help` is a sentence for people, also to be read without the key's table.
  const Node* integer(const std::string& key, const Range& range, int64_t& value,
                      const std::string& help = "");
  const Node* real(const std::string& key, const Range& range, double& value,
                   const std::string& help = "");
  const Node* boolean(const std::string& key, bool& value, const std::string& help = "");
  const Node* text(const std::string& key, std::string& value, const std::string& help = "");
  const Node* path(const std::string& key, PathFrom from, std::string& value,
                   const std::string& help = "");
  const Node* choice(const std::string& key, const std::vector<std::string>& choices,
                     int64_t& position, const std::string& help = "");

  /// The same for lists. `default_value` is for the schema alone.
  const Node* reals(const std::string& key, const Range& range, std::vector<double>& values,
                    const std::string& default_value, const std::string& help);
  const Node* texts(const std::string& key, std::vector<std::string>& values,
                    const std::string& help);

  /// The table under a key.
  Section section(const std::string& key);

  /// The table under a key that must be there and be one: `how` tells what to add where it is
  /// missing.
  Section required(const std::string& key, const std::string& how);

  /// The same for one whose keys are free, or declared elsewhere: the schema gets the table alone.
  Section section(const std::string& key, const std::string& help);

  /// The keys asked for from here on do not exist beside the values read before, for what `why` says;
  /// "": they do.
  void refuse_rest(const std::string& why) { why_not_ = why; }

  /// A key that must not be here, with what to say when it is.
  void refuse(const std::string& key, const std::string& what);

  /// A key that is kept for later.
  void reserve(const std::string& key);

  /// From here on the keys asked for are a component's options, not the host's.
  void begin_options() { reading_options_ = true; }

  /// The component whose options stand here is not known, for what this mistake says: keys that
  /// nobody asks for may be its options.
  void begin_unknown_options(Place place, std::string subject, std::string what);

  /// Adds a mistake for each key that nobody asked for; where they may be options of a component that
  /// is not known, one mistake that lists them.
  void finish();

  bool present() const { return node_ != nullptr; }
  const Node* node() const { return node_; }
  const Place& place() const { return place_; }
  const std::string& path() const { return path_; }
  /// The keys asked for, but for a component's options.
  const std::vector<std::string>& host_keys() const { return host_keys_; }
  /// "train.epochs": as an override names the key.
  std::string key_path(const std::string& key) const;
  Diagnostics& diagnostics() { return diagnostics_; }
  Schema* schema() const { return schema_; }

 private:
  const Node* node_;
  std::string path_;
  Place place_;
  Diagnostics& diagnostics_;
  Schema* schema_;
  bool reading_options_ = false;
  std::string why_not_;  // the keys asked for do not exist; "": they do
  std::vector<std::string> host_keys_;
  std::vector<std::string> options_;
  std::vector<std::string> refused_;
  std::optional<Mistake> unknown_component_;
};

}  // namespace retort::host::config
