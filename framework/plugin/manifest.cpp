#include "framework/plugin/manifest.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <type_traits>

#include "framework/base/error.hpp"
#include "framework/base/text.hpp"
#include "framework/io/safe_text.hpp"
#include "framework/plugin/elf_file.hpp"
#include "framework/plugin/link_check.hpp"

namespace retort::host {
namespace {

constexpr uint64_t kMaxManifest = uint64_t{1} << 20;
constexpr const char* kRebuild = "; rebuild it with this host's SDK";

/// Whether a text is a name: not empty, of a-z, 0-9, '_' and the characters of `also`.
bool is_name(std::string_view text, std::string_view also) {
  return !text.empty() && std::ranges::all_of(text, [also](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           also.find(c) != std::string_view::npos;
  });
}

/// Reads and checks the bytes of one manifest section.
class ManifestReader {
 public:
  ManifestReader(const ElfFile& elf, const std::vector<char>& data, const ReservedNames& reserved)
      : elf_(elf), data_(data), reserved_(reserved) {}

  /// Magic, ABI and the layout of the records. Nothing else of the file is looked at before.
  void check_header();
  std::vector<ComponentInfo> components() const;

 private:
  ComponentInfo component(uint32_t position) const;
  OptionInfo option(const std::string& owner, uint32_t index) const;
  void check_option_name(const ComponentInfo& info, const std::string& name,
                         std::set<std::string>& names) const;
  void check_option(const std::string& where, const OptionInfo& option) const;
  void check_default(const std::string& where, const OptionInfo& option) const;
  std::vector<std::string> taps(const std::string& where, const std::string& text) const;

  /// Copies a record out; a larger stride is a newer record that begins like ours.
  template <class Record>
  Record record(uint64_t offset, uint32_t stride, uint32_t index) const {
    static_assert(std::is_trivially_copyable_v<Record>);
    Record result;
    std::memcpy(&result, data_.data() + offset + uint64_t{stride} * index, sizeof result);
    return result;
  }
  template <size_t N>
  std::string text(const std::string& where, const char (&field)[N]) const {
    const size_t length = ::strnlen(field, N);
    if (length == N) refuse(where + " does not end within its " + std::to_string(N) + " bytes");
    const std::string result(field, length);
    if (safe_line(result) != result)
      refuse(where + " is \"" + shown(result) + "\", with bytes that are no printable UTF-8");
    return result;
  }
  void check_count(const std::string& what, uint64_t found, uint64_t most) const {
    if (found > most)
      refuse(what + " is " + std::to_string(found) + ", at most " + std::to_string(most) +
             " is possible");
  }
  [[noreturn]] void refuse(const std::string& reason) const {
    elf_.refuse("manifest: " + reason + kRebuild);
  }

  const ElfFile& elf_;
  const std::vector<char>& data_;
  const ReservedNames& reserved_;
  retort_manifest_header header_{};
  uint64_t options_at_ = 0;
  uint64_t uses_at_ = 0;
};

void ManifestReader::check_header() {
  if (data_.size() < sizeof header_)
    refuse("has " + std::to_string(data_.size()) + " bytes, its header alone takes " +
           std::to_string(sizeof header_));
  std::memcpy(&header_, data_.data(), sizeof header_);
  if (std::memcmp(header_.magic, RETORT_MANIFEST_MAGIC, sizeof header_.magic) != 0)
    refuse("begins with \"" + shown({header_.magic, sizeof header_.magic}) +
           "\", not with \"RETORT\"");
  if (!abi_fits(header_.abi_major, header_.abi_minor))
    elf_.refuse(abi_mismatch(header_.abi_major, header_.abi_minor));

  const auto at_least = [&](const char* what, uint64_t found, uint64_t wanted) {
    if (found < wanted)
      refuse(std::string(what) + " is " + std::to_string(found) + ", at least " +
             std::to_string(wanted) + " is wanted");
  };
  at_least("struct_size", header_.struct_size, sizeof header_);
  at_least("component_count", header_.component_count, 1);
  at_least("component_stride", header_.component_stride, sizeof(retort_component_record));
  at_least("option_stride", header_.option_stride, sizeof(retort_option_record));
  at_least("use_stride", header_.use_stride, sizeof(retort_use_record));
  options_at_ = header_.struct_size + uint64_t{header_.component_count} * header_.component_stride;
  // Checked one by one: a sum of the three products could wrap around.
  check_count("the end of the components", options_at_, data_.size());
  uses_at_ = options_at_ + uint64_t{header_.option_count} * header_.option_stride;
  check_count("the end of the options", uses_at_, data_.size());
  const uint64_t end = uses_at_ + uint64_t{header_.use_count} * header_.use_stride;
  check_count("the end of the uses", end, data_.size());
  if (header_.total_size != end)
    refuse("total_size is " + std::to_string(header_.total_size) + ", its parts add up to " +
           std::to_string(end));
}

std::vector<ComponentInfo> ManifestReader::components() const {
  std::vector<ComponentInfo> result;
  uint64_t options = 0;
  uint64_t uses = 0;
  for (uint32_t i = 0; i < header_.component_count; ++i) {
    result.push_back(component(i));
    const ComponentInfo& added = result.back();
    // Components do not share records: memory stays in proportion to the file.
    check_count("the number of options of all components", options += added.options.size(),
                header_.option_count);
    check_count("the number of uses of all components", uses += added.uses.size(),
                header_.use_count);
    for (uint32_t j = 0; j < i; ++j)
      if (result[j].kind == added.kind && result[j].id == added.id)
        refuse("component " + std::to_string(i) + " is " + kind_name(added.kind) + " \"" +
               added.id + "\", and so is component " + std::to_string(j));
  }
  return result;
}

ComponentInfo ManifestReader::component(uint32_t position) const {
  const auto raw =
      record<retort_component_record>(header_.struct_size, header_.component_stride, position);
  const std::string index = "component " + std::to_string(position);
  ComponentInfo info;
  info.file = elf_.path();
  info.machine = elf_.machine();
  info.position = position;
  info.id = text(index + ".id", raw.id);
  if (!is_name(info.id, "."))
    refuse(index + ".id is \"" + info.id + "\", it is made of a-z, 0-9, '_' and '.'");
  if (raw.kind < RETORT_KIND_STRATEGY || raw.kind > RETORT_KIND_DATASET)
    refuse(info.id + ".kind is " + std::to_string(raw.kind) + ", known are 1 to 3");
  info.kind = static_cast<retort_kind>(raw.kind);
  info.needs = raw.needs;
  check_count(info.id + ".needs", raw.needs, 2 * RETORT_NEED_NO_TEACHER - 1);
  info.version = text(info.id + ".version", raw.version);
  info.summary = text(info.id + ".summary", raw.summary);
  info.licence = text(info.id + ".licence", raw.licence);
  info.paper = text(info.id + ".paper", raw.paper);
  info.verified = text(info.id + ".verified", raw.verified);
  info.bind_student =
      taps(info.id + ".bind_student", text(info.id + ".bind_student", raw.bind_student));
  info.bind_teacher =
      taps(info.id + ".bind_teacher", text(info.id + ".bind_teacher", raw.bind_teacher));
  if (raw.batch_min < 0 || raw.batch_multiple_of < 0)
    refuse(info.id + " wants batches of at least " + std::to_string(raw.batch_min) +
           " and a multiple of " + std::to_string(raw.batch_multiple_of) + ", both must be >= 0");
  info.batch_min = std::max<int64_t>(raw.batch_min, 1);
  info.batch_multiple_of = std::max<int64_t>(raw.batch_multiple_of, 1);

  check_count(info.id + ".first_option + option_count",
              uint64_t{raw.first_option} + raw.option_count, header_.option_count);
  std::set<std::string> names;
  for (uint32_t i = 0; i < raw.option_count; ++i) {
    info.options.push_back(option(info.id, raw.first_option + i));
    check_option_name(info, info.options.back().name, names);
  }
  check_count(info.id + ".first_use + use_count", uint64_t{raw.first_use} + raw.use_count,
              header_.use_count);
  for (uint32_t i = 0; i < raw.use_count; ++i) {
    const auto use = record<retort_use_record>(uses_at_, header_.use_stride, raw.first_use + i);
    info.uses.push_back({text(info.id + ": operator name", use.name),
                         text(info.id + ": operator overload", use.overload)});
  }
  return info;
}

void ManifestReader::check_option_name(const ComponentInfo& info, const std::string& name,
                                       std::set<std::string>& names) const {
  if (!names.insert(name).second) {
    elf_.refuse("manifest: " + info.id + " has two options \"" + name +
                "\"; give one of them another name and build it again");
  }
  const auto reserved = reserved_.find(info.kind);
  if (reserved == reserved_.end() || !reserved->second.contains(name)) return;
  std::string all;
  for (const std::string& key : reserved->second) all += (all.empty() ? "" : ", ") + key;
  elf_.refuse("manifest: " + info.id + " has an option \"" + name +
              "\", a name that is already taken: beside the options of a " + kind_name(info.kind) +
              " an experiment file has the keys " + all +
              "; give it another name and build it again");
}

std::vector<std::string> ManifestReader::taps(const std::string& where,
                                              const std::string& text) const {
  std::vector<std::string> names = split(text, ',');
  for (const std::string& name : names)
    if (!is_name(name, "."))
      refuse(where + " is \"" + text + "\", it is a list of taps separated by ','");
  return names;
}

OptionInfo ManifestReader::option(const std::string& owner, uint32_t index) const {
  const auto raw = record<retort_option_record>(options_at_, header_.option_stride, index);
  OptionInfo option;
  option.name = text(owner + ": option name", raw.name);
  if (!is_name(option.name, ""))
    refuse(owner + ": an option is named \"" + option.name + "\", a name is made of a-z, 0-9, '_'");
  const std::string where = owner + "." + option.name;
  if (raw.type < RETORT_OPTION_REAL || raw.type > RETORT_OPTION_CHOICE)
    refuse(where + ".type is " + std::to_string(raw.type) + ", known are 1 to 5");
  option.type = static_cast<retort_option_type>(raw.type);
  option.flags = raw.flags;
  check_count(where + ".flags", raw.flags, 2 * RETORT_OPTION_REQUIRED - 1);
  option.default_real = raw.default_real;
  option.default_int = raw.default_int;
  option.min = raw.min;
  option.max = raw.max;
  option.default_text = text(where + ".default_text", raw.default_text);
  option.choices = split(text(where + ".choices", raw.choices), '|');
  option.unit = text(where + ".unit", raw.unit);
  option.help = text(where + ".help", raw.help);
  check_option(where, option);
  return option;
}

void ManifestReader::check_option(const std::string& where, const OptionInfo& option) const {
  const bool has_min = (option.flags & RETORT_OPTION_HAS_MIN) != 0;
  const bool has_max = (option.flags & RETORT_OPTION_HAS_MAX) != 0;
  if ((has_min && !std::isfinite(option.min)) || (has_max && !std::isfinite(option.max)) ||
      (has_min && has_max && option.min > option.max))
    refuse(where + " has the range " + shortest_text(option.min) + " to " +
           shortest_text(option.max) + ", which holds nothing");
  if (option.type == RETORT_OPTION_CHOICE) {
    const std::set<std::string> different(option.choices.begin(), option.choices.end());
    if (option.choices.empty() || different.size() != option.choices.size() ||
        different.contains(""))
      refuse(where + ".choices has " + std::to_string(option.choices.size()) +
             " names, one or more different ones are wanted");
  }
  if ((option.flags & RETORT_OPTION_REQUIRED) == 0) check_default(where, option);
}

void ManifestReader::check_default(const std::string& where, const OptionInfo& option) const {
  const auto within = [&](double value) {
    const bool above = (option.flags & RETORT_OPTION_HAS_MIN) == 0 || value > option.min ||
                       (value == option.min && (option.flags & RETORT_OPTION_MIN_OPEN) == 0);
    const bool below = (option.flags & RETORT_OPTION_HAS_MAX) == 0 || value < option.max ||
                       (value == option.max && (option.flags & RETORT_OPTION_MAX_OPEN) == 0);
    return above && below;
  };
  bool fits = true;
  std::string value = std::to_string(option.default_int);
  switch (option.type) {
    case RETORT_OPTION_REAL:
      value = shortest_text(option.default_real);
      fits = std::isfinite(option.default_real) && within(option.default_real);
      break;
    case RETORT_OPTION_INT:
      fits = within(static_cast<double>(option.default_int));
      break;
    case RETORT_OPTION_BOOL:
      fits = option.default_int == 0 || option.default_int == 1;
      break;
    case RETORT_OPTION_TEXT:
      break;
    case RETORT_OPTION_CHOICE:
      fits = option.default_int >= 0 &&
             static_cast<uint64_t>(option.default_int) < option.choices.size();
      break;
  }
  if (!fits) refuse(where + " has the default " + value + ", which its own type or range refuses");
}

}  // namespace

std::vector<ComponentInfo> read_manifest(const std::filesystem::path& file, ManifestUse use,
                                         const ReservedNames& reserved) {
  const ElfFile elf(file, use == ManifestUse::Load ? Machine::This : Machine::Any);
  const auto section = elf.section(RETORT_MANIFEST_SECTION, kMaxManifest);
  if (!section)
    elf.refuse("has no section " RETORT_MANIFEST_SECTION
               ": it is a shared library, but no Retort plugin; end its source with "
               "RETORT_STRATEGY, RETORT_MODEL, RETORT_DATASET or RETORT_PLUGIN");
  ManifestReader reader(elf, *section, reserved);
  reader.check_header();
  check_links(elf);
  return reader.components();
}

}  // namespace retort::host
