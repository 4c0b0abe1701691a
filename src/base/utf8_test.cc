#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse {
namespace {

TEST(Utf8, AcceptsTheShortestFormsOnly) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("a\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
  for (const std::string_view bad :
       {"\xc0\xae", "\xe0\x80\xae", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xc2",
        "\xc2"
        "a",
        "\xff", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
    EXPECT_EQ(utf8_character(bad), 0U);
  }
}

TEST(Utf8, ACharacterIsOneToFourBytes) {
  EXPECT_EQ(utf8_character(""), 0U);
  EXPECT_EQ(utf8_character("ab"), 1U);
  EXPECT_EQ(utf8_character("\xc3\xbcx"), 2U);
  EXPECT_EQ(utf8_character("\xe6\x84\x9bx"), 3U);
  EXPECT_EQ(utf8_character("\xf0\x9f\x98\x80x"), 4U);
}

TEST(Utf8, EachStrayByteIsReplaced) {
  EXPECT_EQ(replace_invalid_utf8("Zo\xc3\xab"), "Zo\xc3\xab");
  EXPECT_EQ(replace_invalid_utf8("M\xfcller"), "M\xef\xbf\xbdller");
  EXPECT_EQ(replace_invalid_utf8("cut \xe6\x84"), "cut \xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(replace_invalid_utf8(""), "");
}

}  // namespace
}  // namespace gatehouse
