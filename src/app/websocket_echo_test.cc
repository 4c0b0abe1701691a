#include "app/websocket_echo.h"

#include <gtest/gtest.h>

#include <string>

namespace gatehouse::app {
namespace {

std::string client_frame(unsigned char first, std::string payload) {
  const std::string mask = "\x11\x22\x33\x44";
  for (std::size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  }
  return std::string{static_cast<char>(first), static_cast<char>(0x80 | payload.size())} + mask +
         payload;
}

TEST(WebSocketEcho, SendsTextBackUnmasked) {
  WebSocketEcho echo;
  EXPECT_EQ(echo.feed(client_frame(0x81, "hello")), "\x81\x05hello");
}

TEST(WebSocketEcho, WaitsForTheWholeFrame) {
  WebSocketEcho echo;
  const std::string frame = client_frame(0x82, "abc");
  for (std::size_t i = 0; i + 1 < frame.size(); ++i) EXPECT_EQ(echo.feed(frame.substr(i, 1)), "");
  EXPECT_EQ(echo.feed(frame.substr(frame.size() - 1)), std::string("\x82\x03", 2) + "abc");
}

TEST(WebSocketEcho, AnswersPingWithPong) {
  WebSocketEcho echo;
  EXPECT_EQ(echo.feed(client_frame(0x89, "p")), "\x8a\x01p");
}

TEST(WebSocketEcho, AnswersCloseAndEnds) {
  WebSocketEcho echo;
  EXPECT_EQ(echo.feed(client_frame(0x88, "")), std::string("\x88\0", 2));
  EXPECT_TRUE(echo.closed());
  EXPECT_EQ(echo.feed(client_frame(0x81, "late")), "");
}

TEST(WebSocketEcho, RefusesFramesWithoutMask) {
  WebSocketEcho echo;
  EXPECT_EQ(echo.feed("\x81\x01x"), "\x88\x02\x03\xea");
  EXPECT_TRUE(echo.closed());
}

TEST(WebSocketEcho, RefusesFramesOverTheLimitBeforeTheyCome) {
  WebSocketEcho echo;
  const std::string head("\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xff\0\0\0\0", 14);
  EXPECT_EQ(echo.feed(head), "\x88\x02\x03\xf1");
}

TEST(WebSocketAccept, IsThatOfTheRfc) {
  // RFC 6455 §1.3.
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace gatehouse::app
