// Text from elsewhere as it is shown, and exceptions of any kind as text.
#include "framework/io/safe_text.hpp"

#include <gmock/gmock.h>
#include <retort/error.hpp>

#include <nlohmann/json.hpp>

#include "framework/base/failure.hpp"
#include "framework/bridge/door.hpp"
#include "framework/io/json_text.hpp"
#include "framework/plugin/call_plugin.hpp"
#include "tests/framework/io/scratch.hpp"

namespace retort::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kMark = "\xEF\xBF\xBD";  // U+FFFD

TEST(SafeText, KeepsWhatAReaderSees) {
  const std::string text = "a\tb\n\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x99\x82 \xCE\xA9";
  EXPECT_EQ(host::safe_text(text), text);
}

TEST(SafeText, ReplacesControlsThatATerminalOrABrowserObeys) {
  for (const char* control :
       {"\x1B", "\r", "\x07", "\x7F", "\xC2\x9B", "\xC2\x85", "\xE2\x80\xAE", "\xE2\x81\xA6",
        "\xD8\x9C", "\xE2\x80\x8B", "\xE2\x80\x8D", "\xEF\xBB\xBF", "\xE2\x80\xA8", "\xC2\xAD",
        "\xF3\xA0\x81\x81", "\xEF\xBF\xBE"}) {
    EXPECT_EQ(host::safe_text("a" + std::string(control) + "b"), "a" + kMark + "b") << control;
  }
  EXPECT_EQ(host::safe_text(std::string(1, '\0')), kMark);
}

TEST(SafeText, KnowsUtf8ByTheRulesOfJson) {
  for (const char* text : {"", "a", "\u00E9\u20AC", "\U0001F600", "\u202E"}) {
    EXPECT_TRUE(host::is_utf8(text)) << text;
  }
  // A byte of Latin-1, one cut off, one too long, a surrogate, beyond Unicode.
  for (const char* text :
       {"caf\xE9", "\xE2\x82", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_FALSE(host::is_utf8(text));
  }
}

TEST(SafeText, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(host::safe_text("caf\xE9"), "caf" + kMark);
  EXPECT_EQ(host::safe_text("\xC0\xAF"), kMark + kMark);              // "/" in two bytes
  EXPECT_EQ(host::safe_text("\xED\xA0\x80"), kMark + kMark + kMark);  // half of a surrogate pair
  EXPECT_EQ(host::safe_text("\xF4\x90\x80\x80x"), kMark + kMark + kMark + kMark + "x");
  EXPECT_EQ(host::safe_text("\xE6\xBC"), kMark + kMark);  // cut off
}

TEST(SafeLine, HasNoBreaks) {
  EXPECT_EQ(host::safe_line("a\nb\tc"), "a" + kMark + "b" + kMark + "c");
}

TEST(SafeQuote, CannotPassForALineOfTheProgram) {
  EXPECT_EQ(host::safe_quote("one\nerror: two\n\n"), "one\n  error: two");
}

TEST(JsonText, NeverThrowsAndHoldsNothingUnseen) {
  const nlohmann::json value = {{"a\xFF", "\x1B\xE2\x80\xAE\xC2\x9B\xF3\xA0\x81\x81 \xC3\xA9"}};
  const std::string text = host::json_text(value);
  EXPECT_EQ(text, "{\"a" + kMark + "\":\"\\u001b\\u202e\\u009b\\udb40\\udc41 \xC3\xA9\"}");
  EXPECT_EQ(nlohmann::json::parse(text)["a" + kMark], value["a\xFF"]);
}

TEST(CsvField, StaysInItsField) {
  EXPECT_EQ(host::csv_field("a \"b\"\nc"), "\"a \"\"b\"\"" + kMark + "c\"");
}

TEST(CutText, EndsWithAWholeCharacter) {
  EXPECT_EQ(host::cut_text("abc\xE6\xBC\xA2", 5), "abc");
  EXPECT_EQ(host::cut_text("abc\xE6\xBC\xA2", 6), "abc\xE6\xBC\xA2");
  EXPECT_EQ(host::cut_text("abc\xE6\xBC", 9), "abc");  // cut before
  EXPECT_EQ(host::cut_text("\xBC\xBC\xBC\xBC", 3), "\xBC\xBC\xBC");
}

/// 1,015 bytes are kept, and the 1,015th begins a character of two.
const std::string kLong = std::string(1014, 'a') + "\xC3\xA9 and more";

TEST(ErrorMessage, OfAPluginIsCutAtACharacter) {
  retort_error error = host::empty_error();
  retort::detail::guarded(&error, [] { throw retort::Error(kLong); });
  EXPECT_EQ(error.message, std::string(1014, 'a'));
  retort::detail::guarded(&error, [] { throw retort::Error(std::string(2000, '\xBC')); });
  EXPECT_EQ(std::string(error.message).size(), 1012u);  // no UTF-8: cut somewhere
}

TEST(ErrorMessage, OfTheHostIsCutAtACharacter) {
  retort_error error = host::empty_error();
  std::string name = "aten::";
  while (name.size() < 3000) name += "\xE6\xBC\xA2";
  retort_op op = nullptr;
  EXPECT_NE(host::host_table().find_op(name.c_str(), "", &op, &error), RETORT_OK);
  EXPECT_EQ(host::safe_text(error.message), error.message);
}

host::ComponentInfo component() {
  host::ComponentInfo info;
  info.id = "test.rude";
  info.version = "1.2.3";
  info.file = "rude.retort";
  return info;
}

TEST(ErrorMessage, OfAPluginIsSafeAndHoldsNoBacktrace) {
  retort_error error = host::empty_error();
  const std::string text =
      "bad\x1B[2J \xFF\nerror: forged\nException raised from f at x.cpp:1 (most recent call "
      "first):\nframe #0: main";
  text.copy(error.message, text.size());
  error.message[text.size()] = '\0';
  EXPECT_EQ(message_of<host::PluginError>(
                [&] { host::throw_plugin_error(component(), "loss()", RETORT_FAILED, error); }),
            "test.rude 1.2.3 (rude.retort) threw in loss(): bad" + kMark + "[2J " + kMark +
                "\n  error: forged");
}

TEST(CallPlugin, NamesThePluginThatLetsAnyExceptionOut) {
  const host::ComponentInfo info = component();
  const auto call = [&](auto function) {
    return message_of<host::PluginError>(
        [&] { host::call_plugin({.info = info, .function = "loss()", .step = 7}, function); });
  };
  EXPECT_THAT(call([](retort_error*) -> int32_t { throw 3; }),
              StartsWith("test.rude 1.2.3 (rude.retort) let an exception out of loss(), step 7: an "
                         "exception that is no std::exception"));
  EXPECT_THAT(call([](retort_error*) -> int32_t { throw std::logic_error("oops"); }),
              HasSubstr("loss(), step 7: oops"));
  EXPECT_THAT(call([](retort_error*) -> int32_t { throw std::logic_error(""); }),
              HasSubstr("loss(), step 7: std::logic_error without a message"));
}

TEST(CallPlugin, TakesAMessageWithoutACodeForAFailure) {
  const host::ComponentInfo info = component();
  const auto answer = [](int32_t in_error) {
    return [in_error](retort_error* error) -> int32_t {
      retort::detail::fill(error, in_error, "no such layer");
      return RETORT_OK;
    };
  };
  const host::PluginCall call = {.info = info, .function = "loss()"};
  EXPECT_EQ(message_of<host::PluginError>([&] { host::call_plugin(call, answer(RETORT_OK)); }),
            "test.rude 1.2.3 (rude.retort) threw in loss(): no such layer");
  // Left of an operator that was looked for and not needed.
  EXPECT_NO_THROW(host::call_plugin(call, answer(RETORT_NO_OPERATOR)));
}

/// What current_failure() makes of an exception.
template <class Exception>
host::FailureReport failure_of(const Exception& exception) {
  try {
    throw exception;
  } catch (...) {
    return host::current_failure();
  }
}

TEST(CurrentFailure, TellsExceptionsOfEveryKind) {
  const host::FailureReport libtorch =
      failure_of(c10::Error({__func__, __FILE__, __LINE__}, "no CUDA"));
  EXPECT_EQ(libtorch.text, "LibTorch: no CUDA");
  EXPECT_EQ(failure_of(host::DataError("cut off")).code, host::ExitCode::Data);
  EXPECT_EQ(failure_of(std::logic_error("oops")).text, "oops");
  EXPECT_EQ(failure_of(3).text, "an exception that is no std::exception was thrown");
  EXPECT_EQ(failure_of(3).code, host::ExitCode::RunFailed);
  EXPECT_EQ(failure_of(std::filesystem::filesystem_error("rename", "a/b",
                                                         std::make_error_code(std::errc::io_error)))
                .code,
            host::ExitCode::Environment);
}

}  // namespace
}  // namespace retort::test
