// WebSocket over HTTP/2 (RFC 8441), and CONNECT.
#include <gtest/gtest.h>

#include "net/http2/multiplexed_stream.h"
#include "net/http2/test_server.h"
#include "net/running_task.h"

namespace gatehouse::net::http2 {
namespace {

using std::chrono::milliseconds;

/// Gives back in upper case what is written to it; at the end of what is written, its own end.
class ShoutingStream final : public http::ByteStream {
 public:
  explicit ShoutingStream(Loop& loop) : loop_(loop) {}
  Task<Result<std::string_view>> read() override {
    while (written_.empty()) {
      if (aborted_) co_return fail(ErrorCode::kCancelled, "aborted");
      if (finished_) co_return std::string_view();
      co_await more_;
    }
    read_ = std::exchange(written_, {});
    co_return std::string_view(read_);
  }
  Task<Result<void>> write(std::string_view bytes) override {
    for (const char c : bytes) written_.push_back(static_cast<char>(std::toupper(c)));
    more_.wake(loop_);
    co_return Result<void>();
  }
  void finish() override {
    finished_ = true;
    more_.wake(loop_);
  }
  void abort() override {
    aborted_ = true;
    more_.wake(loop_);
  }

 private:
  Loop& loop_;
  std::string written_, read_;
  bool finished_ = false, aborted_ = false;
  Signal more_;
};

FieldPairs extended_connect(std::string protocol) {
  return {{":method", "CONNECT"}, {":protocol", std::move(protocol)},
          {":scheme", "http"},    {":path", "/chat"},
          {":authority", "a"},    {"sec-websocket-version", "13"}};
}

class Http2UpgradeTest : public Http2ServerTest {
 protected:
  void serve_shouting(ServerOptions options = {}) {
    serve(
        [this](http::Request& request) {
          seen_ = request.method + " " + request.target.str() + " " + request.upgrade;
          http::Response response;
          if (request.upgrade.empty()) {
            response.status = 405;
            return ready_answer(std::move(response));
          }
          response.status = 101;
          response.headers.add("Sec-WebSocket-Accept", "x");
          response.headers.add("Sec-WebSocket-Protocol", "chat");
          response.upgrade = std::make_unique<ShoutingStream>(loop_.get());
          return ready_answer(std::move(response));
        },
        options);
  }
  std::string seen_;
};

TEST_F(Http2UpgradeTest, SaysThatItIsServed) {
  serve_shouting();
  auto client = greet();
  const ReceivedFrame ours = loop_.run(client->next_of(FrameType::kSettings));
  EXPECT_THAT(ours.payload, testing::HasSubstr(setting(8, 1)));
}

TEST_F(Http2UpgradeTest, JoinsAWebSocketBothWays) {
  serve_shouting();
  auto client = greet(headers(1, extended_connect("websocket"), kEndHeadersFlag));
  const ReceivedFrame head = loop_.run(client->next_of(FrameType::kHeaders));
  EXPECT_EQ(head.field(":status"), "200");
  EXPECT_EQ(head.field("sec-websocket-accept"), "");
  EXPECT_EQ(head.field("sec-websocket-protocol"), "chat");
  EXPECT_EQ(seen_, "GET /chat websocket");
  say(*client, data(1, "one", false));
  EXPECT_EQ(loop_.run(client->next_of(FrameType::kData)).payload, "ONE");
  say(*client, data(1, "two", true));
  EXPECT_EQ(answer(*client, 1).body, "TWO");
  wait_for_exchanges(1);
  EXPECT_EQ(recorder_.all[0].status, 101);
  EXPECT_EQ(recorder_.all[0].received, 6u);
  EXPECT_EQ(recorder_.all[0].sent, 6u);
  EXPECT_TRUE(recorder_.all[0].complete);
  EXPECT_TRUE(is_alive(*client));
}

TEST_F(Http2UpgradeTest, EndsTheUpgradeWhenTheStreamIsReset) {
  serve_shouting();
  auto client = greet(headers(1, extended_connect("websocket"), kEndHeadersFlag));
  loop_.run(client->next_of(FrameType::kHeaders));
  say(*client, reset_of(1));
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
  EXPECT_TRUE(is_alive(*client));
}

TEST_F(Http2UpgradeTest, EndsATunnelThatIdles) {
  ServerOptions options;
  options.tunnel_idle_timeout = milliseconds(30);
  serve_shouting(options);
  auto client = greet(headers(1, extended_connect("websocket"), kEndHeadersFlag));
  EXPECT_EQ(answer(*client, 1).reset, FrameError::kCancel);
  EXPECT_EQ(counts_.count(Limit::kTunnelTimeout), 1u);
}

TEST_F(Http2UpgradeTest, RefusesOtherProtocols) {
  serve_shouting();
  auto client = greet(headers(1, extended_connect("connect-udp"), kEndHeadersFlag));
  EXPECT_EQ(answer(*client, 1).status, "501");
  EXPECT_EQ(seen_, "");
}

TEST_F(Http2UpgradeTest, HandsAPlainConnectToTheHandler) {
  serve_shouting();
  auto client =
      greet(headers(1, {{":method", "CONNECT"}, {":authority", "a:443"}}, kEndHeadersFlag));
  EXPECT_EQ(answer(*client, 1).status, "405");
  EXPECT_EQ(seen_, "CONNECT / ");
}

TEST_F(Http2UpgradeTest, OpensATunnelForAConnectWhereItIsServed) {
  ServerOptions options;
  options.limits.connect = true;
  serve_shouting(options);
  auto client =
      greet(headers(1, {{":method", "CONNECT"}, {":authority", "a:443"}}, kEndHeadersFlag));
  EXPECT_EQ(loop_.run(client->next_of(FrameType::kHeaders)).field(":status"), "200");
  EXPECT_EQ(seen_, "CONNECT / connect");
}

}  // namespace
}  // namespace gatehouse::net::http2
