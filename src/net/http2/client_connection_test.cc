// The client over HTTP/2: against our own server, and against upstreams that misbehave.
#include "net/http2/client_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http2/test_server.h"
#include "net/http_client.h"
#include "net/running_task.h"

namespace gatehouse::net::http2 {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class Http2ClientTest : public Http2ServerTest {
 protected:
  void connect_to(std::uint16_t port, ClientOptions options = {}) {
    options.protocol = ClientOptions::Protocol::kHttp2;
    resolver_ = Resolver::make(loop_.get());
    client_ = HttpClient::make(loop_.get(), *resolver_,
                               {.scheme = "http", .host = "127.0.0.1", .port = port}, options);
  }
  void connect_to_server(ClientOptions options = {}) {
    connect_to(server_->endpoint().port, options);
  }
  http::Request request_of(std::string method, std::string path, std::string body = {}) {
    http::Request request;
    request.method = std::move(method);
    request.target = *http::parse_target(path);
    request.body.bytes = std::move(body);
    return request;
  }
  /// "200 body" or the error.
  std::string sent(http::Request& request) { return loop_.run(send(*client_, request)); }
  std::string sent(http::Request&& request) { return sent(request); }
  static Task<std::string> send(HttpClient& client, http::Request& request) {
    Result<http::Response> response = co_await client.send(request);
    if (!response) co_return "error: " + response.error().message;
    Result<std::string> body = co_await http::read_all(response->body, 64 << 20);
    co_return std::to_string(response->status) + " " +
        (body ? *body : "cut: " + body.error().message);
  }

  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(Http2ClientTest, SendsAndReceives) {
  serve_echo();
  connect_to_server();
  EXPECT_EQ(sent(request_of("GET", "/x?y=1")), "200 GET /x?y=1 ");
  EXPECT_EQ(sent(request_of("POST", "/x", "abc")), "200 POST /x abc");
  EXPECT_EQ(client_->connections(), 1u);
}

TEST_F(Http2ClientTest, MultiplexesOverOneConnection) {
  std::size_t open = 0, most = 0;
  serve([&](http::Request& request) -> Task<http::Response> {
    most = std::max(most, ++open);
    co_await loop_.get().sleep(milliseconds(20));
    --open;
    http::Response response = co_await echo(request);
    co_return response;
  });
  connect_to_server();
  std::vector<http::Request> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(request_of("GET", "/" + std::to_string(i)));
  std::vector<std::string> got(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    spawn(send(*client_, requests[i]), [&got, i](std::string text) { got[i] = std::move(text); });
  }
  loop_.run_until([&] { return std::ranges::none_of(got, &std::string::empty); });
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i], "200 GET /" + std::to_string(i) + " ");
  }
  EXPECT_EQ(most, 20u);
  EXPECT_EQ(client_->connections(), 1u);
}

TEST_F(Http2ClientTest, OpensAnotherConnectionWhenTheUpstreamAllowsNoMoreStreams) {
  ServerOptions options;
  options.http2.streams = 2;
  serve(
      [&](http::Request& request) -> Task<http::Response> {
        co_await loop_.get().sleep(milliseconds(50));
        http::Response response = co_await echo(request);
        co_return response;
      },
      options);
  connect_to_server();
  EXPECT_EQ(sent(request_of("GET", "/")), "200 GET / ");
  std::vector<http::Request> requests;
  for (int i = 0; i < 4; ++i) requests.push_back(request_of("GET", "/"));
  std::vector<std::string> got(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    spawn(send(*client_, requests[i]), [&got, i](std::string text) { got[i] = std::move(text); });
  }
  loop_.run_until([&] { return std::ranges::none_of(got, &std::string::empty); });
  EXPECT_THAT(got, testing::Each("200 GET / "));
  EXPECT_GE(client_->connections(), 2u);
}

TEST_F(Http2ClientTest, StreamsBothWaysPastTheWindows) {
  serve_echo();
  connect_to_server();
  http::Request request = request_of("POST", "/");
  request.body = http::Body(std::make_unique<PieceReader>(
      loop_.get(), std::vector<std::string>(64, std::string(50'000, 'x')), false));
  EXPECT_EQ(sent(request).size(), 64u * 50'000 + std::string("200 POST / ").size());
}

TEST_F(Http2ClientTest, HandsTrailersOn) {
  serve([this](http::Request& /*request*/) {
    http::Response response;
    auto body = std::make_unique<PieceReader>(loop_.get(), std::vector<std::string>{"one"}, true);
    body->trailers_.add("grpc-status", "5");
    body->trailers_.add("x-own", "6");
    response.headers.add("Content-Type", "application/grpc");
    response.body = http::Body(std::move(body));
    return ready_answer(std::move(response));
  });
  connect_to_server();
  http::Request request = request_of("POST", "/", "q");
  const std::string status =
      loop_.run([](HttpClient& client, http::Request& asked) -> Task<std::string> {
        Result<http::Response> response = co_await client.send(asked);
        Result<std::string> body = co_await http::read_all(response->body, 100);
        const http::Headers& trailers = response->body.stream->trailers();
        co_return *body + " " + std::string(trailers.get("grpc-status").value()) +
            std::string(trailers.get("x-own").value());
      }(*client_, request));
  EXPECT_EQ(status, "one 56");
}

TEST_F(Http2ClientTest, TakesAnAnswerOfTrailersAlone) {
  serve([](http::Request& /*request*/) {
    http::Response response;
    response.headers.add("grpc-status", "12");
    return ready_answer(std::move(response));
  });
  connect_to_server();
  http::Request request = request_of("POST", "/", "q");
  Result<http::Response> got = loop_.run(client_->send(request));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->headers.get("grpc-status"), "12");
  EXPECT_TRUE(got->body.empty());
}

TEST_F(Http2ClientTest, CancelsTheStreamAlone) {
  bool cancelled = false;
  serve([&](http::Request& request) -> Task<http::Response> {
    if (request.target.path() == "/fast") {
      http::Response response = co_await echo(request);
      co_return response;
    }
    Event gone(loop_.get());
    request.cancellation->listen([&] {
      cancelled = true;
      gone.happen();
    });
    co_await gone;
    co_return http::Response{};
  });
  connect_to_server();
  http::Request slow = request_of("GET", "/slow");
  http::Cancellation cancellation;
  slow.cancellation = &cancellation;
  std::string got;
  spawn(send(*client_, slow), [&got](std::string text) { got = std::move(text); });
  EXPECT_EQ(sent(request_of("GET", "/fast")), "200 GET /fast ");
  cancellation.cancel();
  loop_.run_until([&] { return !got.empty() && cancelled; });
  EXPECT_EQ(got, "error: nobody waits for the answer any more");
  EXPECT_EQ(sent(request_of("GET", "/fast")), "200 GET /fast ");
  EXPECT_EQ(client_->connections(), 1u);
}

TEST_F(Http2ClientTest, LimitsTheWaitForAnAnswer) {
  serve([&](http::Request& request) -> Task<http::Response> {
    Event gone(loop_.get());
    request.cancellation->listen([&] { gone.happen(); });
    co_await gone;
    co_return http::Response{};
  });
  ClientOptions options;
  options.response_timeout = milliseconds(30);
  connect_to_server(options);
  EXPECT_EQ(sent(request_of("GET", "/")), "error: the upstream took too long to answer");
}

TEST_F(Http2ClientTest, ClosesConnectionsThatIdle) {
  serve_echo();
  ClientOptions options;
  options.pool_idle_timeout = milliseconds(30);
  connect_to_server(options);
  EXPECT_EQ(sent(request_of("GET", "/")), "200 GET / ");
  loop_.run_until([&] { return client_->connections() == 0; });
  wait_for_no_connection();
}

TEST_F(Http2ClientTest, LeavesAnAnswerUnreadAndGoesOn) {
  serve([](http::Request& /*request*/) { return text_answer(200, std::string(4 << 20, 'x')); });
  connect_to_server();
  for (int i = 0; i < 8; ++i) {
    http::Request request = request_of("GET", "/");
    Result<http::Response> got = loop_.run(client_->send(request));
    ASSERT_TRUE(got.has_value());
  }
  EXPECT_EQ(sent(request_of("GET", "/")).size(), (4u << 20U) + 4);
  EXPECT_EQ(client_->connections(), 1u);
}

TEST_F(Http2ClientTest, SurvivesItsAnswersOwner) {
  serve([](http::Request& /*request*/) { return text_answer(200, std::string(1 << 20, 'x')); });
  connect_to_server();
  http::Request request = request_of("GET", "/");
  Result<http::Response> got = loop_.run(client_->send(request));
  ASSERT_TRUE(got.has_value());
  client_.reset();
  Result<std::string> body = loop_.run(http::read_all(got->body, 8 << 20));
  EXPECT_TRUE(body.has_value());
}

// WebSocket.
class Http2ConnectTest : public Http2ClientTest {
 protected:
  class OneWord final : public http::ByteStream {
   public:
    explicit OneWord(Loop& loop) : written_(loop) {}
    Task<Result<std::string_view>> read() override {
      if (told_) co_return std::string_view();
      co_await written_;
      told_ = true;
      co_return std::string_view(word_);
    }
    Task<Result<void>> write(std::string_view bytes) override {
      word_ = "you said " + std::string(bytes);
      written_.happen();
      co_return Result<void>();
    }
    void finish() override {}
    void abort() override { written_.happen(); }

   private:
    Event written_;
    std::string word_;
    bool told_ = false;
  };

  void serve_one_word() {
    ServerOptions options;
    options.limits.connect = true;
    serve(
        [this](http::Request& request) {
          asked_ = request.method + " " + request.authority + " " + request.upgrade;
          http::Response response;
          response.status = 101;
          response.upgrade = std::make_unique<OneWord>(loop_.get());
          return ready_answer(std::move(response));
        },
        options);
    connect_to_server();
  }
  http::Request connect_request() {
    http::Request request = request_of("CONNECT", "/");
    request.authority = "db.example:5432";
    request.upgrade = http::kConnect;
    return request;
  }
  /// What the request's tunnel says to "hello".
  std::string heard_behind(http::Request& request) {
    return loop_.run([](HttpClient& client, http::Request& asked) -> Task<std::string> {
      Result<http::Response> response = co_await client.send(asked);
      if (!response) co_return response.error().message;
      co_await response->upgrade->write("hello");
      Result<std::string_view> piece = co_await response->upgrade->read();
      std::string text = std::to_string(response->status) + " " + std::string(*piece);
      response->upgrade->finish();
      piece = co_await response->upgrade->read();
      co_return text + (piece && piece->empty() ? " end" : " no end");
    }(*client_, request));
  }

  std::string asked_;
};

TEST_F(Http2ConnectTest, JoinsAWebSocketByExtendedConnect) {
  serve_one_word();
  http::Request request = request_of("GET", "/");
  request.upgrade = "websocket";
  EXPECT_EQ(heard_behind(request), "101 you said hello end");
}

TEST_F(Http2ConnectTest, JoinsATunnelByConnect) {  // RFC 9113 §8.5
  serve_one_word();
  http::Request request = connect_request();
  EXPECT_EQ(heard_behind(request), "101 you said hello end");
  EXPECT_EQ(asked_, "CONNECT db.example:5432 connect");
}

TEST_F(Http2ConnectTest, HandsARefusedConnectOn) {
  ServerOptions options;
  options.limits.connect = true;
  serve([](http::Request& /*request*/) { return text_answer(403, "no"); }, options);
  connect_to_server();
  EXPECT_EQ(sent(connect_request()), "403 no");
  EXPECT_EQ(sent(connect_request()), "403 no");
  EXPECT_EQ(client_->connections(), 1u);
}

/// An upstream that says what it is told.
class BadUpstreamTest : public Http2ClientTest {
 protected:
  using Script = std::function<Task<void>(RawPeer&)>;
  void upstream(Script script, ClientOptions options = {}) {
    script_ = std::move(script);
    auto listener = Listener::open(loop_.get(), {.endpoint = {.host = "127.0.0.1", .port = 0}},
                                   [this](std::unique_ptr<Stream> stream, http::Peer /*peer*/) {
                                     loop_.get().spawn(play(std::make_unique<RawPeer>(
                                         std::make_unique<RawConnection>(std::move(stream)))));
                                   });
    ASSERT_TRUE(listener.has_value());
    listener_ = *std::move(listener);
    if (options.response_timeout.count() == 0) options.response_timeout = milliseconds(5'000);
    connect_to(listener_->endpoint().port, options);
  }
  Task<void> play(std::unique_ptr<RawPeer> peer) {
    ++accepted_;
    const std::string preface = co_await peer->raw().until(std::string(kPreface));
    co_await script_(*peer);
    co_await peer->raw().rest();
    listener_->release();
  }
  /// What a GET gets when the upstream says `bytes` at once.
  std::string got(std::string bytes) {
    upstream([bytes](RawPeer& peer) -> Task<void> { co_await peer.send(bytes); });
    return sent(request_of("GET", "/"));
  }
  static std::string ok(std::uint32_t stream, FieldPairs more = {}, std::uint8_t flags = 4) {
    FieldPairs fields = {{":status", "200"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return headers(stream, fields, flags);
  }

  Script script_;
  std::unique_ptr<Listener> listener_;
  std::size_t accepted_ = 0;
};

TEST_F(BadUpstreamTest, PassesAGoodOne) {
  EXPECT_EQ(got(settings() + ok(1) + data(1, "fine", true)), "200 fine");
}
TEST_F(BadUpstreamTest, PassesInterimAnswersOver) {
  EXPECT_EQ(got(settings() + headers(1, {{":status", "103"}}, 4) + ok(1) + data(1, "x", true)),
            "200 x");
}
TEST_F(BadUpstreamTest, RefusesEndlessInterimAnswers) {
  std::string many = settings();
  for (int i = 0; i < 20; ++i) many += headers(1, {{":status", "103"}}, 4);
  EXPECT_THAT(got(many), HasSubstr("too many interim answers"));
}
TEST_F(BadUpstreamTest, ToldOfAReset) {
  EXPECT_THAT(got(settings() + reset_of(1, FrameError::kInternalError)), HasSubstr("error: "));
}
TEST_F(BadUpstreamTest, ToldOfACutBody) {
  EXPECT_THAT(got(settings() + ok(1) + data(1, "x", false) + reset_of(1)), HasSubstr("200 cut: "));
}
TEST_F(BadUpstreamTest, ToldOfABodyOfAnotherLength) {
  EXPECT_THAT(got(settings() + ok(1, {{"content-length", "5"}}) + data(1, "x", true)),
              HasSubstr("200 cut: "));
}
TEST_F(BadUpstreamTest, RefusesStatusAndFieldsThatAreNone) {
  EXPECT_THAT(got(settings() + headers(1, {{":status", "0200"}}, 5)), HasSubstr("error: "));
  EXPECT_THAT(got(settings() + headers(1, {{"x", "y"}}, 5)), HasSubstr("error: "));
  EXPECT_THAT(got(settings() + ok(1, {{"connection", "close"}}, 5)), HasSubstr("error: "));
  EXPECT_THAT(got(settings() + ok(1, {{"x", "a\rb"}}, 5)), HasSubstr("error: "));
}
TEST_F(BadUpstreamTest, RefusesForbiddenTrailers) {
  EXPECT_THAT(
      got(settings() + ok(1) + data(1, "x", false) + headers(1, {{"authorization", "me"}}, 5)),
      HasSubstr("a trailer that no trailer may be"));
}
TEST_F(BadUpstreamTest, RefusesAHeadThatIsTooLong) {
  FieldPairs many;
  for (int i = 0; i < 200; ++i) many.emplace_back("x", "y");
  EXPECT_THAT(got(settings() + ok(1, many)), HasSubstr("too long"));
}
TEST_F(BadUpstreamTest, RefusesPushes) {
  EXPECT_THAT(got(settings() +
                  frame(FrameType::kPushPromise, 4, 1, number(2, 4) + hpack(request_fields()))),
              HasSubstr("error: "));
}
TEST_F(BadUpstreamTest, RefusesFloods) {
  std::string pings = settings();
  for (int i = 0; i < 2'000; ++i) pings += frame(FrameType::kPing, 0, 0, "12345678");
  EXPECT_THAT(got(pings), HasSubstr("error: "));
  std::string block = settings() + ok(1, {}, 0);
  for (int i = 0; i < 20; ++i) block += frame(FrameType::kContinuation, 0, 1, hpack({{"x", "y"}}));
  EXPECT_THAT(got(block), HasSubstr("error: "));
}
TEST_F(BadUpstreamTest, RefusesWhatIsNotHttp2) {
  EXPECT_THAT(got("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), HasSubstr("error: "));
}
TEST_F(BadUpstreamTest, GivesUpOnOneThatDripsItsHead) {
  ClientOptions options;
  options.response_timeout = milliseconds(50);
  upstream(
      [this](RawPeer& peer) -> Task<void> {
        const std::string answer = settings() + ok(1);
        for (const char c : answer) {
          co_await peer.send(std::string(1, c));
          co_await loop_.get().sleep(milliseconds(5));
        }
      },
      options);
  EXPECT_EQ(sent(request_of("GET", "/")), "error: the upstream took too long to answer");
}
TEST_F(BadUpstreamTest, SendsARefusedRequestOnceMoreWhateverItsMethod) {
  upstream([this](RawPeer& peer) -> Task<void> {
    if (accepted_ == 1) {
      co_await peer.send(settings() + frame(FrameType::kGoaway, 0, 0, number(0, 8)));
    } else {
      co_await peer.send(settings() + ok(1) + data(1, "second", true));
    }
  });
  EXPECT_EQ(sent(request_of("POST", "/", "once")), "200 second");
  EXPECT_EQ(accepted_, 2u);
}
TEST_F(BadUpstreamTest, TellsOfARequestThatWasRefusedTwice) {
  upstream([](RawPeer& peer) -> Task<void> {
    co_await peer.send(settings() + reset_of(1, FrameError::kRefusedStream) +
                       frame(FrameType::kGoaway, 0, 0, number(1, 4) + number(0, 4)));
  });
  http::Request request = request_of("POST", "/", "x");
  HttpClient::Progress progress{};
  const Result<http::Response> got =
      loop_.run(client_->send(request, {.response = milliseconds(5'000)}, &progress));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(progress, HttpClient::Progress::kRefused);
}
TEST_F(BadUpstreamTest, SendsNoPostAgainThatMayHaveArrived) {
  upstream([](RawPeer& peer) -> Task<void> {
    co_await peer.send(settings() + reset_of(1, FrameError::kInternalError));
  });
  http::Request request = request_of("POST", "/", "x");
  HttpClient::Progress progress{};
  const Result<http::Response> got =
      loop_.run(client_->send(request, {.response = milliseconds(5'000)}, &progress));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(progress, HttpClient::Progress::kSent);
  EXPECT_EQ(accepted_, 1u);
}
TEST_F(BadUpstreamTest, AsksForNoWebSocketThatIsNotServed) {
  upstream([](RawPeer& peer) -> Task<void> { co_await peer.send(settings()); });
  http::Request request = request_of("GET", "/");
  request.upgrade = "websocket";
  EXPECT_EQ(sent(request), "error: the upstream serves no WebSocket over HTTP/2");
}
TEST_F(BadUpstreamTest, SharesTheFailureToConnect) {
  upstream([](RawPeer& /*peer*/) -> Task<void> { co_return; });
  const std::uint16_t port = listener_->endpoint().port;
  listener_.reset();
  connect_to(port);
  http::Request first = request_of("GET", "/"), second = request_of("GET", "/");
  std::string one, two;
  spawn(send(*client_, first), [&one](std::string text) { one = std::move(text); });
  spawn(send(*client_, second), [&two](std::string text) { two = std::move(text); });
  loop_.run_until([&] { return !one.empty() && !two.empty(); });
  EXPECT_THAT(one, HasSubstr("cannot connect"));
  EXPECT_THAT(two, HasSubstr("cannot connect"));
}

}  // namespace
}  // namespace gatehouse::net::http2
