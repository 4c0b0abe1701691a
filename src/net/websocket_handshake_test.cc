#include "net/websocket_handshake.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace gatehouse::net {
namespace {

http::Request websocket_request() {
  http::Request request;
  request.version = http::Version::kHttp2;
  request.upgrade = "websocket";
  return request;
}

// RFC 6455 §1.3.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

TEST(WebsocketHandshakeTest, AcceptsAsTheRfcDoes) {
  EXPECT_EQ(websocket_accept(kKey), kAccept);
}

TEST(WebsocketHandshakeTest, MakesAKeyOfSixteenBytesOnce) {
  http::Request first = websocket_request();
  http::Request second = websocket_request();
  add_websocket_key(first);
  add_websocket_key(second);
  const std::string key(first.headers.only("Sec-WebSocket-Key").value_or(""));
  add_websocket_key(first);
  EXPECT_EQ(first.headers.only("Sec-WebSocket-Key"), key);
  EXPECT_EQ(base64_decode(key).value_or("").size(), 16u);
  EXPECT_NE(key, second.headers.only("Sec-WebSocket-Key"));
  EXPECT_EQ(first.headers.only("Sec-WebSocket-Version"), "13");
}

TEST(WebsocketHandshakeTest, OfHttp1WithoutAKeyIsNone) {
  http::Request request = websocket_request();
  request.version = http::Version::kHttp11;
  add_websocket_key(request);
  EXPECT_TRUE(request.headers.empty());
  http::Headers answer;
  answer.add("Sec-WebSocket-Accept", kAccept);
  EXPECT_FALSE(accepts_websocket_key(request, answer));
}

TEST(WebsocketHandshakeTest, LeavesOtherRequestsAlone) {
  http::Request request;
  add_websocket_key(request);
  EXPECT_TRUE(request.headers.empty());
  http::Response response;
  complete_websocket_answer(request, response);
  EXPECT_TRUE(response.headers.empty());
  EXPECT_TRUE(accepts_websocket_key(request, response.headers));
}

TEST(WebsocketHandshakeTest, HoldsTheAnswerAgainstTheKey) {
  http::Request request = websocket_request();
  request.headers.add("Sec-WebSocket-Key", kKey);
  http::Headers answer;
  EXPECT_FALSE(accepts_websocket_key(request, answer));
  answer.add("Sec-WebSocket-Accept", kAccept);
  EXPECT_TRUE(accepts_websocket_key(request, answer));
  answer.set("Sec-WebSocket-Accept", kKey);
  EXPECT_FALSE(accepts_websocket_key(request, answer));
}

TEST(WebsocketHandshakeTest, CompletesAnAnswerThatLacksIt) {
  http::Request request = websocket_request();
  request.headers.add("Sec-WebSocket-Key", kKey);
  http::Response response;
  complete_websocket_answer(request, response);
  EXPECT_EQ(response.headers.only("Sec-WebSocket-Accept"), kAccept);
  response.headers.set("Sec-WebSocket-Accept", "as it came");
  complete_websocket_answer(request, response);
  EXPECT_EQ(response.headers.only("Sec-WebSocket-Accept"), "as it came");
}

}  // namespace
}  // namespace gatehouse::net
