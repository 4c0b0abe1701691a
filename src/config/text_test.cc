#include "config/text.h"

#include <gtest/gtest.h>

namespace gatehouse::config {
namespace {

TEST(TextTest, FindsBytesThatAreNotUtf8) {
  EXPECT_EQ(first_unreadable_byte("a\tb\r\nä€😀"), std::nullopt);
  EXPECT_EQ(first_unreadable_byte("ab\x80"), 2U);
  EXPECT_EQ(first_unreadable_byte("\xC0\xAF"), 0U);          // overlong
  EXPECT_EQ(first_unreadable_byte("\xED\xA0\x80"), 0U);      // surrogate
  EXPECT_EQ(first_unreadable_byte("\xF4\x90\x80\x80"), 0U);  // beyond U+10FFFF
  EXPECT_EQ(first_unreadable_byte("a\xE2\x82"), 1U);         // cut short
  EXPECT_EQ(first_unreadable_byte("a\x1B[2J"), 1U);
  EXPECT_EQ(first_unreadable_byte(std::string_view("a\0b", 3)), 1U);
}

TEST(TextTest, QuotesWithoutControlCharactersAndShort) {
  EXPECT_EQ(quote("a\nb\x1B"), "\"a?b?\"");
  EXPECT_EQ(quote(std::string(100, 'x')), '"' + std::string(60, 'x') + "…\"");
  EXPECT_EQ(printable("ab\xFF"
                      "cd"),
            "ab");
  EXPECT_EQ(printable("aaä", 3), "aa…") << "no half character";
}

TEST(NearestTest, FindsMisspellingsAndNoOtherWords) {
  const std::vector<std::string> names = {"session_max_age", "login_max_age", "key_rotation"};
  EXPECT_EQ(nearest("sesion_max_age", names), "session_max_age");
  EXPECT_EQ(nearest("session-max-age", names), "session_max_age");
  EXPECT_EQ(nearest("key_rotatoin", names), "key_rotation");
  EXPECT_EQ(nearest("colour", names), std::nullopt);
  EXPECT_EQ(nearest("", names), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'a'), names), std::nullopt);
}

}  // namespace
}  // namespace gatehouse::config
