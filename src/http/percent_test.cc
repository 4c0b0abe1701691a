#include "http/percent.h"

#include <gtest/gtest.h>

namespace gatehouse::http {
namespace {

TEST(Percent, ReadsOneEscape) {
  EXPECT_EQ(escaped_byte("%41bc"), 'A');
  EXPECT_EQ(escaped_byte("%fF"), '\xff');
  for (const std::string_view text : {"", "%", "%4", "%4g", "a41", "% 1"}) {
    EXPECT_FALSE(escaped_byte(text)) << text;
  }
}

TEST(Percent, LenientDecodingLeavesWhatIsNoEscape) {
  EXPECT_EQ(decode_what_can_be("%41%zz%%42%"), "A%zz%B%");
  EXPECT_EQ(decode_what_can_be("%2541"), "%41");
}

TEST(Utf8, AcceptsTheShortestFormsOnly) {
  EXPECT_TRUE(is_utf8("a\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
  for (const std::string_view bad :
       {"\xc0\xae", "\xe0\x80\xae", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xc2",
        "\xc2"
        "a",
        "\xff", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace gatehouse::http
