#include "framework/plugin/manifest.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstddef>
#include <limits>
#include <random>

#include "framework/plugin/elf_file.hpp"
#include "tests/framework/plugin/zoo.hpp"

namespace retort::host {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

#if defined(__x86_64__)
constexpr uint16_t kThisMachine = EM_X86_64;
#else
constexpr uint16_t kThisMachine = EM_AARCH64;
#endif

/// A copy of zoo/good.retort that a test spoils.
class SpoiledPlugin : public testing::Test {
 protected:
  SpoiledPlugin() : file_(folder_.folder() / "spoiled.retort"), bytes_(read_bytes(zoo("good"))) {
    manifest_ = bytes_.find(std::string(RETORT_MANIFEST_MAGIC, 8));
    component_ = manifest_ + sizeof(retort_manifest_header);
    option_ = component_ + sizeof(retort_component_record);
  }
  /// What read_manifest says of the bytes as they are now.
  std::string verdict() {
    write_bytes(file_, bytes_);
    return refusal([&] { read_manifest(file_, ManifestUse::Load, reserved_); });
  }

  test::Scratch folder_;
  const ReservedNames reserved_ = {{RETORT_KIND_STRATEGY, {"weight", "bind"}}};
  std::filesystem::path file_;
  std::string bytes_;
  size_t manifest_ = 0;
  size_t component_ = 0;
  size_t option_ = 0;  // the first one
};

TEST_F(SpoiledPlugin, ForAnotherProcessorIsShownButNotLoaded) {
  put(bytes_, offsetof(Elf64_Ehdr, e_machine), uint16_t{EM_AARCH64 + EM_X86_64 - kThisMachine});
  EXPECT_THAT(verdict(), HasSubstr("build it again for this machine"));
  const std::vector<ComponentInfo> shown = read_manifest(file_, ManifestUse::Show);
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].id, "test.good");
  EXPECT_NE(shown[0].machine, this_machine());
}

TEST_F(SpoiledPlugin, OfTheOtherByteOrderIsNotShownEither) {
  put(bytes_, EI_DATA, uint8_t{ELFDATA2MSB});
  write_bytes(file_, bytes_);
  EXPECT_THAT(refusal([&] { read_manifest(file_, ManifestUse::Show); }), HasSubstr("big-endian"));
}

TEST(Manifest, HoldsWhatThePluginDeclares) {
  const std::vector<ComponentInfo> components = read_manifest(zoo("good"));
  ASSERT_EQ(components.size(), 1u);
  const ComponentInfo& info = components.front();
  EXPECT_EQ(info.id, "test.good");
  EXPECT_EQ(info.version, "1.2.3");
  EXPECT_EQ(info.kind, RETORT_KIND_STRATEGY);
  EXPECT_EQ(info.batch_min, 2);
  EXPECT_EQ(info.batch_multiple_of, 1);
  EXPECT_THAT(info.bind_student, ElementsAre("layer2.preact", "pooled"));
  EXPECT_THAT(info.bind_teacher, ElementsAre());
  ASSERT_EQ(info.options.size(), 4u);
  EXPECT_EQ(info.options[0].name, "scale");
  EXPECT_EQ(info.options[0].default_real, 4);
  EXPECT_EQ(info.options[0].max, 10);
  EXPECT_EQ(info.options[1].default_text, "none");
  EXPECT_THAT(info.options[2].choices, ElementsAre("paper", "released"));
  ASSERT_EQ(info.uses.size(), 1u);
  EXPECT_EQ(info.uses[0].name, "aten::erf");
}

TEST(Manifest, TellsABatchRuleInWords) {
  const auto told = [](int64_t min, int64_t multiple_of) {
    ComponentInfo info;
    info.batch_min = min;
    info.batch_multiple_of = multiple_of;
    return batch_rule_text(info);
  };
  EXPECT_EQ(told(1, 1), "");
  EXPECT_EQ(told(3, 1), "at least 3 samples");
  EXPECT_EQ(told(1, 4), "a multiple of 4 samples");
  EXPECT_EQ(told(4, 4), "a multiple of 4 samples");
  EXPECT_EQ(told(8, 4), "at least 8 samples, a multiple of 4");
}

TEST(Manifest, FitsTheSameAbiOnlyWhileMajorIsZero) {
  const AbiRange host{0, 0, 4};
  EXPECT_TRUE(abi_fits(0, 4, host));
  EXPECT_FALSE(abi_fits(0, 3, host));
  EXPECT_FALSE(abi_fits(0, 5, host));
  EXPECT_FALSE(abi_fits(1, 4, host));
}

TEST(Manifest, FitsARangeOfMajorsAndOlderMinorsFromOneOn) {
  const AbiRange host{2, 3, 4};
  EXPECT_TRUE(abi_fits(3, 4, host));
  EXPECT_TRUE(abi_fits(3, 0, host));
  EXPECT_TRUE(abi_fits(2, 9, host));
  EXPECT_FALSE(abi_fits(3, 5, host));
  EXPECT_FALSE(abi_fits(1, 0, host));
  EXPECT_FALSE(abi_fits(4, 0, host));
  EXPECT_FALSE(abi_fits(0, 4, {1, 3, 4}));
}

TEST(Manifest, RefusesAnotherAbiInOneSentence) {
  const std::string minor = std::to_string(RETORT_ABI_MINOR);
  EXPECT_EQ(refusal([] { read_manifest(zoo("other_abi")); }),
            zoo("other_abi").string() + ": built for SDK ABI 3." + minor + ", this host speaks 0." +
                minor + "; rebuild it with this host's SDK or use a newer retort");
}

TEST(Manifest, RefusesAFileWithoutItsEntrySymbol) {
  EXPECT_THAT(refusal([] { read_manifest(zoo("no_entry")); }),
              AllOf(StartsWith(zoo("no_entry").string() + ": "),
                    HasSubstr("does not export retort_plugin_v1; end the source with")));
}

TEST(Manifest, RefusesAnotherExportedSymbol) {
  EXPECT_EQ(
      refusal([] { read_manifest(zoo("exports")); }),
      zoo("exports").string() +
          ": exports helper_of_mine, a plugin exports only "
          "retort_plugin_v1; build it with sdk/plugin.flags; what is from a static library is "
          "hidden by -Wl,--exclude-libs,ALL");
}

TEST(Manifest, NamesAnExportedSymbolReadablyAndSaysHowItIsHidden) {
  EXPECT_THAT(refusal([] { read_manifest(zoo("mangled")); }),
              AllOf(HasSubstr("exports Mine::Options::Options() (_ZN4Mine7OptionsC2Ev), a plugin"),
                    HasSubstr("build it with sdk/plugin.flags")));
  EXPECT_THAT(refusal([] { read_manifest(zoo("runtime")); }),
              EndsWith("(-static-libstdc++, -static-libgcc): link it with -Wl,--exclude-libs,ALL "
                       "as well"));
  EXPECT_THAT(refusal([] { read_manifest(zoo("coverage")); }),
              EndsWith("build it without --coverage, or link it with -Wl,--exclude-libs,ALL"));
}

TEST(Manifest, RefusesAVariableSharedBetweenPlugins) {
  EXPECT_THAT(refusal([] { read_manifest(zoo("shares")); }),
              AllOf(HasSubstr("_ZN6Shared7counterE"), EndsWith("build it with sdk/plugin.flags")));
}

TEST(Manifest, TakesWhatCompilersExportWithoutBeingAsked) {
  std::string exports;
  ElfFile(zoo("standard")).each_symbol([&exports](const ElfSymbol& symbol) {
    if (symbol.defined) exports.append(symbol.name).append(" ");
    return true;
  });
  for (const char* name : {"_ZNSt", "_ZnwmPv ", "__odr_asan.retort_plugin_v1 "})
    EXPECT_THAT(exports, HasSubstr(name));
  EXPECT_EQ(read_manifest(zoo("standard")).front().id, "test.standard");
}

TEST_F(SpoiledPlugin, IsRefusedAtEveryLength) {
  const std::string whole = bytes_;
  for (size_t length = 0; length < whole.size(); length += length < 100 ? 1 : 97) {
    bytes_ = whole.substr(0, length);
    EXPECT_THAT(verdict(), AllOf(StartsWith(file_.string() + ": is "), HasSubstr("build it again")))
        << "cut to " << length << " bytes";
  }
  bytes_ = whole.substr(0, whole.size() - 1);
  EXPECT_THAT(verdict(), HasSubstr("is cut short"));
}

TEST_F(SpoiledPlugin, IsRefusedWhenItIsTextOrEmpty) {
  bytes_.assign("strategy = \"logits.kd\"\n");
  EXPECT_THAT(verdict(), HasSubstr("begins with \"strategy\", not with an ELF header"));
  bytes_.clear();
  EXPECT_THAT(verdict(), EndsWith("is empty; build it again"));
}

TEST(Manifest, RefusesFoldersPipesAndMissingFiles) {
  const test::Scratch folder;
  EXPECT_THAT(refusal([&] { read_manifest(folder.folder()); }),
              HasSubstr("is a folder or a device"));
  const auto pipe = folder.folder() / "pipe.retort";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(refusal([&] { read_manifest(pipe); }), HasSubstr("is a folder or a device"));
  EXPECT_THAT(refusal([&] { read_manifest(folder.folder() / "none.retort"); }),
              HasSubstr("none.retort: cannot be opened (No such file or directory)"));
}

TEST_F(SpoiledPlugin, IsRefusedForAnotherMachine) {
  put(bytes_, offsetof(Elf64_Ehdr, e_machine), uint16_t{EM_RISCV});
  EXPECT_THAT(verdict(), HasSubstr("is built for riscv, this machine is "));
}

TEST_F(SpoiledPlugin, IsRefusedWhen32BitBigEndianOrAProgram) {
  const std::string whole = bytes_;
  bytes_[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(verdict(), HasSubstr("is a 32-bit file, this host is 64-bit"));
  bytes_ = whole;
  bytes_[EI_DATA] = ELFDATA2MSB;
  EXPECT_THAT(verdict(), HasSubstr("is a big-endian file"));
  bytes_ = whole;
  put(bytes_, offsetof(Elf64_Ehdr, e_type), uint16_t{ET_REL});
  EXPECT_THAT(verdict(), HasSubstr("is an ELF file of type 1, not a shared library (type 3)"));
}

TEST_F(SpoiledPlugin, IsRefusedWithoutItsManifest) {
  const size_t name = bytes_.rfind(".retort");  // in the table of section names
  bytes_[name + 1] = 'x';
  EXPECT_THAT(verdict(),
              HasSubstr("has no section .retort: it is a shared library, but no Retort"));
}

TEST_F(SpoiledPlugin, IsRefusedWhenItNeedsANewerLibc) {
  const size_t version = bytes_.find("GLIBC_2.");
  ASSERT_NE(version, std::string::npos);
  // Every version of this file: "GLIBC_2.2.5" becomes "GLIBC_2.299".
  for (size_t at = version; at != std::string::npos; at = bytes_.find("GLIBC_2.", at + 1))
    put(bytes_, bytes_.find('\0', at) - 2, std::array{'9', '9'});
  EXPECT_THAT(verdict(),
              testing::MatchesRegex(".*: needs GLIBC_2\\.[0-9]*99 of libc\\.so\\.6, this "
                                    "machine has 2\\.[0-9]+; build it again on.*"));
}

TEST_F(SpoiledPlugin, IsRefusedForAnOptionThatMakesNoSense) {
  const std::string whole = bytes_;
  put(bytes_, option_ + offsetof(retort_option_record, type), uint32_t{77});
  EXPECT_THAT(verdict(), HasSubstr("manifest: test.good.scale.type is 77, known are 1 to 5"));
  bytes_ = whole;
  put(bytes_, option_ + offsetof(retort_option_record, default_real), 11.5);
  EXPECT_THAT(verdict(), HasSubstr("test.good.scale has the default 11.5, which its own type or"));
  bytes_ = whole;
  put(bytes_, option_ + offsetof(retort_option_record, max), -1.0);
  EXPECT_THAT(verdict(), HasSubstr("test.good.scale has the range 0 to -1, which holds nothing"));
  bytes_ = whole;
  put(bytes_, option_ + offsetof(retort_option_record, max),
      std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(verdict(), HasSubstr("which holds nothing"));
  bytes_ = whole;
  put(bytes_, option_, std::array{'w', 'e', 'i', 'g', 'h', 't', '\0'});
  EXPECT_THAT(verdict(), AllOf(HasSubstr("has an option \"weight\", a name that is already taken"),
                               HasSubstr("an experiment file has the keys bind, weight")));
  EXPECT_EQ(refusal([&] { read_manifest(file_); }), "");
  put(bytes_, option_ + sizeof(retort_option_record),
      std::array{'w', 'e', 'i', 'g', 'h', 't', '\0'});
  EXPECT_THAT(verdict(), HasSubstr("a name that is already taken"));
  put(bytes_, option_, std::array{'h', 'e', 'i', 'g', 'h', 't', '\0'});
  put(bytes_, option_ + sizeof(retort_option_record),
      std::array{'h', 'e', 'i', 'g', 'h', 't', '\0'});
  EXPECT_THAT(verdict(), HasSubstr("has two options \"height\""));
}

TEST_F(SpoiledPlugin, IsRefusedForATextThatATerminalWouldObey) {
  bytes_[component_ + offsetof(retort_component_record, summary)] = '\x1b';
  EXPECT_THAT(verdict(), HasSubstr("test.good.summary is \"\uFFFDeeps"));
  bytes_[component_ + offsetof(retort_component_record, id)] = 'T';
  EXPECT_THAT(verdict(), HasSubstr("component 0.id is \"Test.good\", it is made of a-z"));
}

TEST_F(SpoiledPlugin, IsRefusedForCountsThatDoNotFit) {
  const std::string whole = bytes_;
  put(bytes_, manifest_ + offsetof(retort_manifest_header, component_count), uint32_t{0xffffffff});
  EXPECT_THAT(verdict(), HasSubstr("the end of the components is "));
  bytes_ = whole;
  put(bytes_, manifest_ + offsetof(retort_manifest_header, option_stride), uint32_t{8});
  EXPECT_THAT(verdict(), HasSubstr("option_stride is 8, at least 488 is wanted"));
  bytes_ = whole;
  put(bytes_, component_ + offsetof(retort_component_record, first_option), uint32_t{0xffffffff});
  EXPECT_THAT(verdict(), HasSubstr("first_option + option_count is 4294967299, at most 4 is"));
  bytes_ = whole;
  put(bytes_, manifest_ + offsetof(retort_manifest_header, total_size), uint32_t{1});
  EXPECT_THAT(verdict(), HasSubstr("total_size is 1, its parts add up to "));
}

/// Random bytes anywhere: read or refused by name, never a crash (run under ASan and UBSan).
void spoil_and_read(std::string& bytes, size_t first, size_t size,
                    const std::filesystem::path& file, int rounds) {
  std::mt19937 random(20260101);
  const std::string whole = bytes;
  write_bytes(file, whole);
  std::fstream spoiled(file, std::ios::binary | std::ios::in | std::ios::out);
  for (int round = 0; round < rounds; ++round) {
    bytes = whole;
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips)
      bytes[first + random() % size] = static_cast<char>(random());
    spoiled.seekp(0).write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush();
    try {
      EXPECT_FALSE(read_manifest(file).empty());
    } catch (const PluginError& error) {
      EXPECT_THAT(error.what(), StartsWith(file.string() + ": "));
    }
  }
}

TEST_F(SpoiledPlugin, NeverCrashesTheReaderByItsManifest) {
  spoil_and_read(bytes_, manifest_, sizeof(retort_manifest_header) + 200, file_, 1500);
  bytes_ = read_bytes(zoo("good"));
  spoil_and_read(bytes_, component_,
                 sizeof(retort_component_record) + 4 * sizeof(retort_option_record), file_, 1500);
}

TEST_F(SpoiledPlugin, NeverCrashesTheReaderByItsHeadersAndTables) {
  const size_t segments = sizeof(Elf64_Ehdr) + 10 * sizeof(Elf64_Phdr);
  spoil_and_read(bytes_, 0, segments, file_, 1000);
  bytes_ = read_bytes(zoo("good"));
  Elf64_Ehdr header;
  std::memcpy(&header, bytes_.data(), sizeof header);
  spoil_and_read(bytes_, header.e_shoff, bytes_.size() - header.e_shoff, file_, 1500);
  bytes_ = read_bytes(zoo("good"));
  spoil_and_read(bytes_, segments, 2000, file_, 1500);  // dynamic symbols, names and versions
}

}  // namespace
}  // namespace retort::host
