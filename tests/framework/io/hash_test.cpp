#include "framework/io/hash.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/framework/io/scratch.hpp"

namespace retort::host {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(Sha256, IsThatOfTheStandard) {  // FIPS 180-2, appendix B.1, and the empty message
  EXPECT_EQ(sha256_hex(bytes_of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, OfAFileIsThatOfItsBytesEvenWhenTheyLookLikeGzip) {
  const test::Scratch scratch;
  const std::string bytes = "\x1f\x8b no gzip";
  EXPECT_EQ(sha256_hex_of_file(scratch.put("a", bytes)), sha256_hex(bytes_of(bytes)));
}

TEST(Xxh3, IsThatOfTheReferenceProgram) {  // xxhsum -H2
  EXPECT_EQ(xxh3_128_hex({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(xxh3_128_hex(bytes_of("abc")), "06b05ab6733a618578af5f94892f3950");
}

}  // namespace
}  // namespace retort::host
