// Files of other formats that users name as weights: each is called what it is.
#include "framework/io/file_format.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <string>
#include <utility>
#include <vector>

#include "framework/base/error.hpp"
#include "framework/io/safetensors.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::host {
namespace {

using retort::test::message_of;
using retort::test::Scratch;
using std::string_literals::operator""s;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What is told of a file with this content.
std::string refusal_of(const std::string& bytes, const std::string& name = "teacher.pth") {
  const Scratch scratch;
  const auto path = scratch.put(name, bytes);
  return message_of<DataError>([&] { SafetensorsFile::open(path); });
}

std::string number(uint64_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

/// A zip archive of files that are stored uncompressed; its headers lack the checksums.
std::string zip_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string bytes, directory;
  for (const auto& [name, content] : files) {
    const std::string sizes = number(content.size(), 4) + number(content.size(), 4);
    directory += "PK\x01\x02"s + number(0, 4) + number(0, 2) + number(0, 2) + number(0, 8) + sizes +
                 number(name.size(), 2) + number(0, 12) + number(bytes.size(), 4) + name;
    bytes += "PK\x03\x04"s + number(0, 4) + number(0, 2) + number(0, 8) + sizes +
             number(name.size(), 2) + number(0, 2) + name + content;
  }
  const std::string count = number(files.size(), 2);
  return bytes + directory + "PK\x05\x06"s + number(0, 4) + count + count +
         number(directory.size(), 4) + number(bytes.size(), 4) + number(0, 2);
}

/// A text in a pickle of protocol 2.
std::string pickled(const std::string& text) { return "X" + number(text.size(), 4) + text; }
std::string pickled_dict(const std::string& key) { return "\x80\x02}q\0("s + pickled(key) + "u."; }

TEST(OtherFormat, OfTorchSaveIsNamedWithTheLinesThatConvertIt) {
  const std::string told = refusal_of(
      zip_of({{"teacher/data.pkl", pickled_dict("conv1.weight")}, {"teacher/version", "3"}}));
  EXPECT_THAT(
      told,
      AllOf(HasSubstr("teacher.pth: is a PyTorch file (torch.save), not a safetensors "
                      "file; two lines of Python convert it:\n"),
            HasSubstr("\n  import torch, safetensors.torch\n"), HasSubstr("in torch.load(\"/"),
            HasSubstr("teacher.pth\", map_location=\"cpu\").items()"),
            HasSubstr("teacher.safetensors\")\n"), Not(HasSubstr("damaged"))));
}

TEST(OtherFormat, OfACheckpointNamesTheKeyOfItsWeights) {
  const std::string zip = zip_of({{"a/data.pkl", pickled_dict("state_dict")}});
  EXPECT_THAT(refusal_of(zip, "model_best.pth.tar"),
              AllOf(HasSubstr("map_location=\"cpu\")[\"state_dict\"].items()"),
                    HasSubstr("/model_best.safetensors\"")));
  EXPECT_THAT(refusal_of(zip_of({{"a/data.pkl", pickled_dict("model")}})),
              HasSubstr(")[\"model\"].items()"));
}

TEST(OtherFormat, OfAWholeModuleAsksForItsStateDict) {
  const std::string names = pickled("_parameters") + pickled("_modules");
  EXPECT_THAT(refusal_of(zip_of({{"a/data.pkl",
                                  "\x80\x02"
                                  "c__main__\nNet\n" +
                                      names + "."}})),
              AllOf(HasSubstr("weights_only=False).state_dict().items()"),
                    HasSubstr("holds a whole module")));
  EXPECT_THAT(refusal_of(zip_of({{"a/data.pkl", "\x80\x02}"s + pickled("model") + names + "."}})),
              HasSubstr("weights_only=False)[\"model\"].state_dict().items()"));
}

TEST(OtherFormat, OfANewerPickleIsLoadedWithoutTorchsRestriction) {
  EXPECT_THAT(
      refusal_of(zip_of({{"a/data.pkl", "\x80\x04\x95\x02\0\0\0\0\0\0\0}."s}})),
      AllOf(HasSubstr("weights_only=False).items()"), HasSubstr("(This runs code of the file")));
}

TEST(OtherFormat, OfTorchSaveBeforeItsZipIsNamed) {
  const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e"s;
  const std::string facts = "\x80\x02M\xe9\x03.\x80\x02}q\0."s;
  EXPECT_THAT(refusal_of(magic + facts + pickled_dict("fc.weight")),
              AllOf(HasSubstr("torch.save, the format before version 1.6"),
                    HasSubstr("map_location=\"cpu\").items()")));
  EXPECT_THAT(refusal_of(magic + facts + pickled_dict("state_dict")),
              HasSubstr("[\"state_dict\"].items()"));
}

TEST(OtherFormat, OfTorchsOtherArchivesIsNamed) {
  EXPECT_THAT(refusal_of(zip_of({{"a/data.pkl", "\x80\x02."}, {"a/constants.pkl", ""}})),
              AllOf(HasSubstr("a TorchScript archive (torch.jit.save)"),
                    HasSubstr("torch.jit.load("), HasSubstr(".state_dict().items()")));
  EXPECT_THAT(refusal_of(zip_of({{"a/models/model.json", "{}"}, {"a/data/sample/data.pkl", ""}})),
              AllOf(HasSubstr("a PyTorch exported program"), HasSubstr("torch.export.load(")));
  std::string tar(2048, '\0');
  tar.replace(0, 7, "storage");
  tar.replace(0, 8, "storages");
  tar.replace(257, 5, "ustar");
  tar.replace(512, 6, "pickle");
  EXPECT_THAT(refusal_of(tar), AllOf(HasSubstr("a PyTorch file"), HasSubstr("torch.load(")));
}

TEST(OtherFormat, OfAPickleWarnsThatItRunsCode) {
  for (const std::string& bytes : {"\x80\x04\x95\x05\0\0\0\0\0\0\0}\x94."s, "(dp0\nVa\np1\ns."s}) {
    EXPECT_THAT(refusal_of(bytes, "w.pkl"), AllOf(HasSubstr("w.pkl: is a pickled Python object"),
                                                  HasSubstr("pickle.load(open("),
                                                  HasSubstr("which must be one that you trust")));
  }
}

TEST(OtherFormat, OfOtherProgramsIsNamed) {
  EXPECT_THAT(refusal_of(zip_of({{"w.npy", ""}})), HasSubstr("a NumPy archive (.npz)"));
  EXPECT_THAT(refusal_of("\x93NUMPY\x01\0"), HasSubstr("a NumPy array"));
  EXPECT_THAT(refusal_of("\x89HDF\r\n\x1a\n"), HasSubstr("an HDF5 file"));
  EXPECT_THAT(refusal_of("\x08\x07\x12\x07pytorch"), HasSubstr("an ONNX model"));
  EXPECT_THAT(refusal_of("\x08\x01\x12\xa0\x02\x0a\x10\x0a\x0a"),
              HasSubstr("TensorFlow SavedModel"));
  EXPECT_THAT(refusal_of("GGUF\x03\0\0\0"), HasSubstr("GGUF"));
  EXPECT_THAT(refusal_of(zip_of({{"model.weights.h5", ""}})), HasSubstr("a Keras model"));
  EXPECT_THAT(refusal_of(zip_of({{"readme", ""}})), HasSubstr("a zip archive"));
}

TEST(OtherFormat, OfWhatWasFetchedInsteadIsNamed) {
  EXPECT_THAT(refusal_of(""), HasSubstr("is empty (0 bytes)"));
  EXPECT_THAT(refusal_of("\n<!DOCTYPE HTML><html>"), HasSubstr("is a web page"));
  EXPECT_THAT(refusal_of("version https://git-lfs.github.com/spec/v1\n"),
              HasSubstr("git lfs pull"));
  EXPECT_THAT(
      refusal_of("{\"metadata\": {}, \"weight_map\": {}}"),
      AllOf(HasSubstr("the index of weights in several files"), HasSubstr("\"weight_map\"")));
  EXPECT_THAT(refusal_of("{\"a\": 1}"), HasSubstr("is a JSON text"));
  EXPECT_THAT(refusal_of("\x1f\x8b\x08\0\0"s), HasSubstr("compressed with gzip"));
}

TEST(OtherFormat, OfACutOffArchiveIsNotCalledSound) {
  const std::string zip = zip_of({{"a/data.pkl", pickled_dict("fc.weight")}});
  for (size_t size = 4; size < zip.size(); ++size) {
    ASSERT_THAT(refusal_of(zip.substr(0, size)), HasSubstr("fetch it again")) << size;
  }
}

TEST(OtherFormat, OfNothingKnownIsLeftToTheReader) {
  EXPECT_EQ(describe_other_format({}, "x"), "is empty (0 bytes); fetch or write it again");
  EXPECT_THAT(refusal_of(std::string(64, '\x07')), HasSubstr("damaged or cut off"));
}

TEST(OtherFormat, NamesPathsAsPythonReadsThem) {
  EXPECT_THAT(
      refusal_of(zip_of({{"a/data.pkl", "\x80\x02."}}), "a\"b\\c.pt"),
      AllOf(HasSubstr("a\\\"b\\\\c.pt\", map_location"), HasSubstr("a\\\"b\\\\c.safetensors\"")));
  EXPECT_THAT(refusal_of(zip_of({{"a/data.pkl", "\x80\x02."}}), "m.safetensors"),
              HasSubstr("m.converted.safetensors\""));
}

}  // namespace
}  // namespace retort::host
