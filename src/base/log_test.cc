#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>
#include <string>
#include <string_view>

#include "base/json.h"

namespace gatehouse {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

std::string line_of(LogFormat format, std::string_view message) {
  std::ostringstream out;
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(out);
  spdlog::logger logger("test", sink);
  logger.set_formatter(make_log_formatter(format));
  logger.warn("{}", message);
  return out.str();
}

/// What the text format makes of a message.
std::string text_of(std::string_view message) {
  const std::string line = line_of(LogFormat::kText, message);
  const std::string_view level = " warning ";
  return line.substr(line.find(level) + level.size());
}

TEST(LogTest, TextLineHasTimeLevelAndMessage) {
  EXPECT_THAT(line_of(LogFormat::kText, "login user=ada"),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z "
                           "warning login user=ada\n"));
}

TEST(LogTest, JsonLineHasTimeLevelAndMessage) {
  const auto json = parse_json(line_of(LogFormat::kJson, "login \"ada\""));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->size(), 3u);
  EXPECT_EQ(json_string(*json, "level"), "warning");
  EXPECT_EQ(json_string(*json, "message"), "login \"ada\"");
  EXPECT_THAT(json_string(*json, "time").value(), EndsWith("Z"));
}

TEST(LogTest, ForgedLineInTextStaysInItsLine) {
  EXPECT_EQ(text_of("user=a\r\n2026-01-01T00:00:00.000000Z info admin"),
            "user=a\\r\\n2026-01-01T00:00:00.000000Z info admin\n");
}

TEST(LogTest, ForgedMemberInJsonStaysInItsString) {
  const std::string message = "a\",\"level\":\"info\r\n{\"level\":\"info\"}\\";
  const std::string line = line_of(LogFormat::kJson, message);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = parse_json(line);
  ASSERT_TRUE(json) << line;
  EXPECT_EQ(json_string(*json, "level"), "warning");
  EXPECT_EQ(json_string(*json, "message"), message);
}

TEST(LogTest, TerminalSequencesAreEscaped) {
  EXPECT_EQ(text_of("\x1b[2J"), "\\x1b[2J\n");
  EXPECT_EQ(text_of("\x7f"), "\\x7f\n");
  EXPECT_EQ(text_of("\xc2\x9b"
                    "31m"),
            "\\xc2\\x9b31m\n")
      << "C1's CSI";
  EXPECT_EQ(text_of(std::string_view("a\0b\tc", 5)), "a\\x00b\\tc\n");
}

TEST(LogTest, EscapesCannotBeForged) {
  EXPECT_EQ(text_of("a\\nb"), "a\\\\nb\n");
}

TEST(LogTest, TextOfPeopleStaysReadable) {
  EXPECT_EQ(text_of("Lövelace 愛 😀"), "Lövelace 愛 😀\n");
}

TEST(LogTest, BytesThatAreNotUtf8AreEscaped) {
  EXPECT_EQ(text_of("\xff\xc3(\x80"), "\\xff\\xc3(\\x80\n");
  EXPECT_EQ(text_of("cut \xe6\x84"), "cut \\xe6\\x84\n");
  EXPECT_EQ(text_of("\xe0\x80\xae\xed\xa0\x80"), "\\xe0\\x80\\xae\\xed\\xa0\\x80\n")
      << "overlong, surrogate";
  EXPECT_TRUE(parse_json(line_of(LogFormat::kJson, "\xff\xc3(")));
}

TEST(LogTest, NoByteBelow0x20OrAbove0x7eLeavesTheJsonFormat) {
  std::string message;
  for (int byte = 0; byte < 256; ++byte) message += static_cast<char>(byte);
  std::string line = line_of(LogFormat::kJson, message);
  ASSERT_THAT(line, EndsWith("\n"));
  line.pop_back();
  for (const char c : line) EXPECT_TRUE(c >= 0x20 && c <= 0x7e) << static_cast<int>(c);
}

}  // namespace
}  // namespace gatehouse
