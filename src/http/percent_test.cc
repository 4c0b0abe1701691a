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

}  // namespace
}  // namespace gatehouse::http
