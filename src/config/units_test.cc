#include "config/units.h"

#include <gtest/gtest.h>

namespace gatehouse::config {
namespace {

using std::chrono::milliseconds;

TEST(DurationTest, ReadsUnitsAndTheirSums) {
  EXPECT_EQ(parse_duration("0"), milliseconds(0));
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("10s"), milliseconds(10'000));
  EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("24h"), milliseconds(86'400'000));
  EXPECT_EQ(parse_duration("7d"), milliseconds(604'800'000));
  EXPECT_EQ(parse_duration("1h30m"), milliseconds(5'400'000));
}

TEST(DurationTest, RefusesWhatHasNoClearMeaning) {
  for (const char* text : {"", "10", "s", "10 s", "-1s", "+1s", "1.5s", "1m1h", "1s1s", "10S",
                           "1h30", "0x1s", "99999999999999999999s", "9223372036854775807d"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(DurationTest, FormatsWhatItReads) {
  for (const char* text : {"0s", "1ms", "500ms", "10s", "1m30s", "1h30m", "24h", "36h", "30d"}) {
    EXPECT_EQ(format_duration(parse_duration(text).value()), text);
  }
}

TEST(BytesTest, ReadsAndFormatsSizes) {
  EXPECT_EQ(parse_bytes("100"), 100U);
  EXPECT_EQ(parse_bytes("100B"), 100U);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536U);
  EXPECT_EQ(parse_bytes("1GiB"), 1U << 30);
  EXPECT_EQ(format_bytes(65'536), "64KiB");
  EXPECT_EQ(format_bytes(100), "100");
  EXPECT_EQ(format_bytes(0), "0");
}

TEST(BytesTest, RefusesDecimalUnitsAndOverflow) {
  for (const char* text :
       {"", "KiB", "64KB", "64k", "64 KiB", "-1", "1.5MiB", "1MiB1KiB", "9223372036854775807GiB"}) {
    EXPECT_FALSE(parse_bytes(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace gatehouse::config
