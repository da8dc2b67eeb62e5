#include "framework/io/safetensors.hpp"

#include <gmock/gmock.h>

#include <string>

#include "framework/base/error.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::host {
namespace {

using retort::test::content_of;
using retort::test::files_in;
using retort::test::message_of;
using retort::test::Scratch;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// What safetensors 0.8.0 for Python wrote for five tensors, given in another order.
std::string golden() {
  const std::string_view header =
      R"({"__metadata__":{"format":"pt"},)"
      R"("bn.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("fc.bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
      R"("fc.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[16,32]},)"
      "\"a\\\"\\\\/\x7f\\u001f\\n\xc3\xa9\":"
      R"({"dtype":"F16","shape":[0,2],"data_offsets":[32,32]},)"
      R"("mask":{"dtype":"BOOL","shape":[3],"data_offsets":[32,35]}}      )";
  const std::string_view data(
      "\x07\0\0\0\0\0\0\0\0\0\0\x3f\0\0\x80\xbe"
      "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x90\xc0\1\0\1",
      35);
  return std::string("\x70\1\0\0\0\0\0\0", 8).append(header).append(data);
}

/// A file with this header and so many zero bytes of data.
std::string with_header(const std::string& header, size_t data_bytes = 0) {
  std::string file(8, '\0');
  for (size_t i = 0; i < 4; ++i) file[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return file + header + std::string(data_bytes, '\0');
}

std::string refusal(const std::string& bytes) {
  const Scratch scratch;
  const auto path = scratch.put("m.safetensors", bytes);
  return message_of<DataError>([&] { SafetensorsFile::open(path); });
}

/// A header of one tensor "w" with these three values.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"w":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

TEST(Safetensors, ReadsWhatTheReferenceWriterWrote) {
  const Scratch scratch;
  const auto file = SafetensorsFile::open(scratch.put("m.safetensors", golden()));
  EXPECT_EQ(file.tensors().size(), 5U);
  EXPECT_THAT(file.metadata(), ElementsAre(std::pair("format", "pt")));
  const SafeTensorView* weight = file.find("fc.weight");
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->dtype, SafeDtype::F32);
  EXPECT_THAT(weight->shape, ElementsAre(2, 2));
  float values[4];
  ASSERT_EQ(weight->bytes, sizeof values);
  std::copy_n(weight->data, sizeof values, reinterpret_cast<uint8_t*>(values));
  EXPECT_THAT(values, ElementsAre(1.0F, 2.0F, 3.0F, -4.5F));
  EXPECT_NE(file.find("a\"\\/\x7f\x1f\n\xc3\xa9"), nullptr);
  EXPECT_EQ(file.find("fc"), nullptr);
}

TEST(Safetensors, WritesTheBytesOfTheReferenceWriterInAnyOrder) {
  const Scratch scratch;
  const auto file = SafetensorsFile::open(scratch.put("m.safetensors", golden()));
  std::vector<SafeTensorView> tensors(file.tensors().rbegin(), file.tensors().rend());
  write_safetensors(scratch.path("again.safetensors"), tensors, file.metadata());
  EXPECT_EQ(content_of(scratch.path("again.safetensors")), golden());
}

TEST(Safetensors, MayBeEmpty) {
  const Scratch scratch;
  write_safetensors(scratch.path("m"), {}, {});
  EXPECT_EQ(content_of(scratch.path("m")), with_header("{}      "));
  EXPECT_TRUE(SafetensorsFile::open(scratch.path("m")).tensors().empty());
}

TEST(Safetensors, KnowsEveryDtypeByItsName) {
  for (int i = 0; i <= static_cast<int>(SafeDtype::U64); ++i) {
    const auto dtype = static_cast<SafeDtype>(i);
    EXPECT_EQ(safe_dtype_of(safe_dtype_name(dtype)), dtype);
  }
  EXPECT_EQ(safe_dtype_bits(SafeDtype::BF16), 16U);
  EXPECT_EQ(safe_dtype_bits(SafeDtype::C64), 64U);
  EXPECT_EQ(safe_dtype_bits(SafeDtype::F8E5M2Fnuz), 8U);
}

TEST(Safetensors, CutOffAnywhereIsRefused) {
  const std::string bytes = golden();
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_THAT(refusal(bytes.substr(0, size)), HasSubstr("m.safetensors: ")) << size;
  }
  EXPECT_THAT(refusal(bytes + '\0'), HasSubstr("end at data byte 35; the file has 36"));
}

TEST(Safetensors, WithAnyHeaderByteChangedIsRefusedOrStaysInsideTheFile) {
  const Scratch scratch;
  const size_t header_end = golden().size() - 35;
  size_t refused = 0;
  for (size_t at = 0; at < header_end; ++at) {
    for (const int flip : {0x01, 0x10, 0x80, 0xff}) {
      std::string bytes = golden();
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      const auto path = scratch.put("m.safetensors", bytes);
      const std::string message = message_of<DataError>([&] {
        const auto file = SafetensorsFile::open(path);
        size_t total = 0;
        for (const SafeTensorView& tensor : file.tensors()) total += tensor.bytes;
        EXPECT_EQ(total, 35U) << "byte " << at;
      });
      refused += message.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, header_end * 3);
}

TEST(Safetensors, WithAnImpossibleHeaderLengthIsRefused) {
  for (const char* length : {"\xff\xff\xff\xff\xff\xff\xff\xff", "\x01\xe1\xf5\x05\0\0\0"}) {
    std::string bytes = golden();
    bytes.replace(0, 8, std::string(length, 8));
    EXPECT_THAT(refusal(bytes), HasSubstr("byte 0 gives a header of "));
  }
  EXPECT_THAT(refusal(std::string(16, '\0')), HasSubstr("byte 8"));
  EXPECT_THAT(refusal(with_header(" {}")), HasSubstr("byte 8"));
}

TEST(Safetensors, WithAGapAnOverlapOrALieIsRefusedByName) {
  const auto pair = [](const std::string& a, const std::string& b) {
    return with_header(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
                           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}",
                       8);
  };
  EXPECT_EQ(refusal(pair("[4,8]", "[0,4]")), "");
  EXPECT_THAT(refusal(pair("[0,4]", "[5,9]")), HasSubstr("\"b\" has data_offsets [5, 9]"));
  EXPECT_THAT(refusal(pair("[0,4]", "[3,7]")), HasSubstr("wanted them to begin at 4"));
  EXPECT_THAT(refusal(pair("[0,4]", "[4,9]")), HasSubstr("end by 8"));
  EXPECT_THAT(refusal(pair("[0,4]", "[4,3]")), HasSubstr("\"b\""));
  EXPECT_THAT(refusal(pair("[0,5]", "[5,8]")), HasSubstr("shape [4] and dtype U8"));
  EXPECT_THAT(refusal(pair("[0,4]", "[0,4]")), HasSubstr("\"b\""));
}

TEST(Safetensors, WhoseShapeOverflowsIsRefused) {
  const std::string big = "4294967296";
  EXPECT_THAT(refusal(with_header(one("\"F32\"", "[" + big + "," + big + "]", "[0,0]"))),
              HasSubstr("more than 2^64"));
  EXPECT_THAT(refusal(with_header(one("\"F32\"", "[4611686018427387904]", "[0,0]"))),
              HasSubstr("more than 2^64"));
  EXPECT_THAT(refusal(with_header(one("\"U8\"", "[18446744073709551615]", "[0,0]"))),
              HasSubstr("18446744073709551615"));
}

TEST(Safetensors, WithAWrongValueIsRefusedByTensorAndKey) {
  const auto bad = [](const std::string& dtype, const std::string& shape,
                      const std::string& offsets) {
    return refusal(with_header(one(dtype, shape, offsets), 4));
  };
  EXPECT_EQ(bad("\"F32\"", "[1]", "[0,4]"), "");
  EXPECT_THAT(bad("\"F31\"", "[1]", "[0,4]"), HasSubstr("tensor \"w\" has dtype \"F31\""));
  EXPECT_THAT(bad("3", "[1]", "[0,4]"), HasSubstr("has 3 in \"dtype\"; wanted a string"));
  EXPECT_THAT(bad("\"F32\"", "[-1]", "[0,4]"), HasSubstr("has -1 in \"shape\""));
  EXPECT_THAT(bad("\"F32\"", "[1.5]", "[0,4]"), HasSubstr("has 1.5 in \"shape\""));
  EXPECT_THAT(bad("\"F32\"", "[[1]]", "[0,4]"), HasSubstr("has an array in \"shape\""));
  EXPECT_THAT(bad("\"F32\"", "7", "[0,4]"), HasSubstr("has 7 in \"shape\""));
  EXPECT_THAT(bad("\"F32\"", "null", "[0,4]"), HasSubstr("has null in \"shape\""));
  EXPECT_THAT(bad("\"F32\"", "[1]", "[0,4,8]"), HasSubstr("has 3 data_offsets"));
  EXPECT_THAT(bad("\"F32\"", "[1]", "{}"), HasSubstr("has an object in \"data_offsets\""));
}

TEST(Safetensors, OfPackedTypesAreMeasuredInBits) {
  EXPECT_EQ(refusal(with_header(one("\"F4\"", "[3, 2]", "[0,3]"), 3)), "");
  EXPECT_EQ(refusal(with_header(one("\"F6_E2M3\"", "[4]", "[0,3]"), 3)), "");
  EXPECT_THAT(refusal(with_header(one("\"F6_E3M2\"", "[8]", "[0,8]"), 8)),
              HasSubstr("wanted 6 bytes"));
}

TEST(Safetensors, WithAnUnknownTypeAreNotCalledDamaged) {
  EXPECT_THAT(refusal(with_header(one("\"C128\"", "[1]", "[0,16]"), 16)),
              AllOf(HasSubstr("tensor \"w\" has dtype \"C128\"; known are BOOL"),
                    testing::Not(HasSubstr("damaged"))));
}

TEST(Safetensors, WithAKeyTwiceMissingOrUnknownIsRefused) {
  const std::string w = R"("w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  EXPECT_THAT(refusal(with_header("{" + w + "," + w + "}")), HasSubstr("\"w\" twice"));
  EXPECT_THAT(refusal(with_header(R"({"w":{"dtype":"U8","dtype":"U8"}})")),
              HasSubstr("\"dtype\" twice"));
  EXPECT_THAT(refusal(with_header(R"({"w":{"dtype":"U8","shape":[0]}})")),
              HasSubstr("lacks data_offsets"));
  EXPECT_THAT(refusal(with_header(R"({"w":{"stride":[1]}})")), HasSubstr("\"stride\""));
  EXPECT_THAT(refusal(with_header(R"({"__metadata__":{"a":"1","a":"2"}})")),
              HasSubstr("\"a\" twice"));
  EXPECT_THAT(refusal(with_header(R"({"__metadata__":{},"__metadata__":{}})")),
              HasSubstr("two __metadata__"));
  EXPECT_THAT(refusal(with_header(R"({"__metadata__":{"a":1}})")), HasSubstr("wanted a string"));
}

TEST(Safetensors, WhoseHeaderIsNoJsonIsRefusedByOffset) {
  EXPECT_THAT(refusal(with_header(R"({"w":?})")), HasSubstr("no JSON at byte 1"));
  EXPECT_THAT(refusal(with_header("{} {}")), HasSubstr("no JSON"));
  EXPECT_THAT(refusal(with_header("{\"\xff\":{}}")), HasSubstr("no JSON"));
  EXPECT_THAT(refusal(with_header(std::string(100000, '{'))), HasSubstr("no JSON"));
  EXPECT_THAT(refusal(with_header(R"({"w":)" + std::string(100000, '['))), HasSubstr("an array"));
}

TEST(Safetensors, ThatMakeNoSenseAreNotWritten) {
  const Scratch scratch;
  const uint8_t data[8] = {};
  const auto refused = [&](std::vector<SafeTensorView> tensors) {
    return message_of<DataError>([&] { write_safetensors(scratch.path("m"), tensors, {}); });
  };
  EXPECT_THAT(refused({{"w", SafeDtype::F32, {3}, data, 8}}), HasSubstr("shape [3] and dtype F32"));
  EXPECT_THAT(refused({{"w", SafeDtype::U8, {1}, data, 1}, {"w", SafeDtype::F32, {1}, data, 4}}),
              HasSubstr("two tensors are named \"w\""));
  EXPECT_THAT(refused({{"__metadata__", SafeDtype::U8, {1}, data, 1}}), HasSubstr("rename"));
  EXPECT_THAT(refused({{"\xff", SafeDtype::U8, {1}, data, 1}}), HasSubstr("no UTF-8"));
  EXPECT_EQ(files_in(scratch.folder()), 0U);
}

}  // namespace
}  // namespace retort::host
