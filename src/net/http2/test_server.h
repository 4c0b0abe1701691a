// For tests: a server on a real socket, and raw HTTP/2 clients of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/http2/test_frames.h"
#include "net/http_server.h"
#include "net/limit_counts.h"

namespace gatehouse::net::http2 {

class Http2ServerTest : public testing::Test {
 protected:
  struct Ended {
    std::string method, target;
    int status;
    std::uint64_t received, sent;
    bool complete;
    std::string failure;
  };
  class Recorder final : public ExchangeObserver {
   public:
    void ended(const Exchange& exchange) override {
      all.push_back({exchange.request.method, exchange.request.target.str(), exchange.status,
                     exchange.received, exchange.sent, exchange.complete,
                     std::string(exchange.request.trace.failure)});
    }
    std::vector<Ended> all;
  };

  void serve(FunctionHandler::Function function, ServerOptions options = {}) {
    handler_ = std::make_unique<FunctionHandler>(std::move(function));
    options.limit_counts = &counts_;
    Result<std::unique_ptr<HttpServer>> server =
        HttpServer::open(loop_.get(), {.endpoint = {.host = "127.0.0.1", .port = 0}}, options,
                         *handler_, &recorder_);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = *std::move(server);
  }
  void serve_echo(ServerOptions options = {}) {
    serve([](http::Request& request) { return echo(request); }, options);
  }

  /// Connected, without a word.
  std::unique_ptr<RawPeer> connect() {
    return std::make_unique<RawPeer>(loop_.run(connect_raw(loop_.get(), server_->endpoint().port)));
  }
  /// Preface and SETTINGS, and what follows, in one send.
  std::unique_ptr<RawPeer> greet(std::string more = {}) {
    std::unique_ptr<RawPeer> client = connect();
    say(*client, std::string(kPreface) + settings() + more);
    return client;
  }
  void say(RawPeer& client, std::string bytes) {
    const bool sent = loop_.run(client.send(std::move(bytes)));
    EXPECT_TRUE(sent);
  }
  RawPeer::Answer answer(RawPeer& client, std::uint32_t stream) {
    return loop_.run(client.answer(stream));
  }
  /// How the server takes `bytes` behind the greeting: "goaway 1", "reset 5", "end".
  std::string fault_of(std::string bytes) {
    std::unique_ptr<RawPeer> client = greet(std::move(bytes));
    return fault_of(*client);
  }
  std::string fault_of(RawPeer& client) {
    const ReceivedFrame frame = loop_.run(client.next_error());
    if (RawPeer::is_end(frame)) return "end";
    if (frame.head.type == FrameType::kRstStream) return "reset " + std::to_string(frame.code());
    return "goaway " + std::to_string(frame.code(4));
  }
  /// True if a PING is still answered: the connection is in order.
  bool is_alive(RawPeer& client) {
    say(client, frame(FrameType::kPing, 0, 0, "12345678"));
    ReceivedFrame pong = loop_.run(client.next_of(FrameType::kPing));
    while (!RawPeer::is_end(pong) && pong.payload != "12345678") {
      pong = loop_.run(client.next_of(FrameType::kPing));
    }
    return pong.head.has(kAckFlag);
  }
  void wait_for_exchanges(std::size_t count) {
    loop_.run_until([this, count] { return recorder_.all.size() >= count; });
  }
  void wait_for_no_connection() {
    loop_.run_until([this] { return server_->connections() == 0; });
  }

  TestLoop loop_;
  Recorder recorder_;
  LimitCounts counts_;
  std::unique_ptr<FunctionHandler> handler_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace gatehouse::net::http2
