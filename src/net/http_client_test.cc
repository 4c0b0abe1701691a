#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <deque>

#include "net/test_certificates.h"
#include "net/test_http.h"

namespace gatehouse::net {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Knows these addresses for every name.
class FixedResolver final : public Resolver {
 public:
  explicit FixedResolver(std::vector<std::string> addresses) : addresses_(std::move(addresses)) {}
  Task<Result<std::vector<std::string>>> resolve(std::string) override { co_return addresses_; }

 private:
  std::vector<std::string> addresses_;
};

/// An upstream that says what the test tells it to.
class Upstream {
 public:
  explicit Upstream(Loop& loop) : loop_(loop) {
    auto listener =
        Listener::open(loop, {.endpoint = {.host = "127.0.0.1", .port = 0}},
                       [this](std::unique_ptr<Stream> stream, http::Peer) {
                         ++accepted;
                         waiting_.push_back(std::make_unique<RawConnection>(std::move(stream)));
                       });
    listener_ = *std::move(listener);
  }
  std::uint16_t port() const { return listener_->endpoint().port; }

  Task<std::unique_ptr<RawConnection>> next() {
    while (waiting_.empty()) co_await loop_.sleep(milliseconds(1));
    std::unique_ptr<RawConnection> first = std::move(waiting_.front());
    waiting_.pop_front();
    co_return first;
  }

  int accepted = 0;

 private:
  Loop& loop_;
  std::deque<std::unique_ptr<RawConnection>> waiting_;
  std::unique_ptr<Listener> listener_;
};

using Answer = Result<http::Response>;

class HttpClientTest : public testing::Test {
 protected:
  void make(ClientOptions options = {}) {
    http::Url origin;
    origin.scheme = "http";
    origin.host = "upstream";
    origin.port = upstream_.port();
    client_ = HttpClient::make(loop_.get(), resolver_, origin, std::move(options));
  }
  static http::Request get(std::string_view path = "/") {
    http::Request request;
    request.target = *http::parse_target(path);
    request.authority = "example.org";
    return request;
  }

  /// Sends the request and stores its answer in `into`, beside the test.
  void start(http::Request& request, std::optional<Answer>& into) {
    spawn(client_->send(request), [&into](Answer answer) { into.emplace(std::move(answer)); });
  }
  std::unique_ptr<RawConnection> accepted() { return loop_.run(upstream_.next()); }
  std::string head_at(RawConnection& connection) { return loop_.run(connection.until("\r\n\r\n")); }
  Answer take(std::optional<Answer>& answer) {
    loop_.run_until([&answer] { return answer.has_value(); });
    return *std::move(answer);
  }

  /// The answer to a request that an upstream gives these bytes for, and then closes if it should.
  Answer answer_of(std::string bytes, bool closes = true, http::Request request = get()) {
    std::optional<Answer> answer;
    start(request, answer);
    last_ = accepted();
    (void)head_at(*last_);
    loop_.run(last_->send(std::move(bytes)));
    if (closes) last_->stream().finish();
    return take(answer);
  }
  std::string body_of(Answer& answer) {
    if (!answer) return "error: " + answer.error().message;
    Result<std::string> body = loop_.run(http::read_all(answer->body, 10'000'000));
    return body ? *body : "cut: " + std::string(to_string(body.error().code));
  }
  /// Sends one more request, and says whether it came over the connection that was there before.
  bool reuses(RawConnection& before) {
    const int accepted_before = upstream_.accepted;
    http::Request request = get("/again");
    std::optional<Answer> answer;
    start(request, answer);
    std::string got;
    spawn(before.until("\r\n\r\n"), [&got](std::string text) { got = std::move(text); });
    loop_.run_until([&] { return upstream_.accepted > accepted_before || !got.empty(); });
    const bool reused = got.starts_with("GET /again");
    std::unique_ptr<RawConnection> other;
    if (!reused) other = accepted();
    RawConnection& used = reused ? before : *other;
    if (!reused) (void)head_at(used);
    loop_.run(used.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    EXPECT_TRUE(take(answer).has_value());
    return reused;
  }

  TestLoop loop_;
  FixedResolver resolver_{{"127.0.0.1"}};
  Upstream upstream_{loop_.get()};
  std::unique_ptr<HttpClient> client_;
  std::unique_ptr<RawConnection> last_;
};

const std::string kOk = "HTTP/1.1 200 OK\r\n";

TEST_F(HttpClientTest, SendsARequestAndReadsItsAnswer) {
  make();
  http::Request request = get("/a?b");
  request.headers.add("Accept", "*/*");
  std::optional<Answer> pending;
  start(request, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  EXPECT_EQ(head_at(*connection), "GET /a?b HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n");
  loop_.run(connection->send(kOk + "Content-Length: 5\r\nA: b\r\n\r\nhello"));
  Answer answer = take(pending);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->headers.get("a"), "b");
  EXPECT_EQ(body_of(answer), "hello");
  EXPECT_TRUE(reuses(*connection));
}

TEST_F(HttpClientTest, NamesTheOriginIfTheRequestNamesNoHost) {
  make();
  http::Request request = get();
  request.authority.clear();
  std::optional<Answer> pending;
  start(request, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  EXPECT_THAT(head_at(*connection),
              HasSubstr("Host: upstream:" + std::to_string(upstream_.port()) + "\r\n"));
  connection->close();
  EXPECT_FALSE(take(pending).has_value());
}

TEST_F(HttpClientTest, ReadsBodiesOfEachFraming) {
  make();
  const std::string long_body(200'000, 'x');
  Answer sized = answer_of(kOk + "Content-Length: 200000\r\n\r\n" + long_body, false);
  EXPECT_EQ(sized->body.length, 200'000u);
  EXPECT_EQ(body_of(sized), long_body);
  sized = Answer();  // gives its connection back
  EXPECT_TRUE(reuses(*last_));
  Answer chunked = answer_of(
      kOk + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\ngrpc-status: 0\r\n\r\n",
      false);
  EXPECT_EQ(body_of(chunked), "abcde");
  EXPECT_EQ(chunked->body.stream->trailers().get("grpc-status"), "0");
  chunked = Answer();
  EXPECT_TRUE(reuses(*last_));
  Answer until_close = answer_of(kOk + "\r\nabc");
  EXPECT_EQ(body_of(until_close), "abc");
}

TEST_F(HttpClientTest, PassesOverInterimAnswersButNotForEver) {
  make();
  Answer answer =
      answer_of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kOk +
                "Content-Length: 2\r\n\r\nhi");
  EXPECT_EQ(body_of(answer), "hi");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "HTTP/1.1 102 Processing\r\n\r\n";
  const Answer refused = answer_of(many);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
}

TEST_F(HttpClientTest, WhatIsNotHttpIsCorrupt) {
  make();
  for (const char* answer :
       {"SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello"}) {
    const Answer refused = answer_of(answer);
    ASSERT_FALSE(refused.has_value()) << answer;
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt) << answer;
  }
}

TEST_F(HttpClientTest, UpstreamThatIsDownIsUnavailable) {
  make();
  const Answer closed = answer_of("");
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().code, ErrorCode::kUnavailable);
  http::Url origin{.scheme = "http", .host = "upstream", .port = 1};
  client_ = HttpClient::make(loop_.get(), resolver_, origin, {});
  http::Request request = get();
  const Answer refused = loop_.run(client_->send(request));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("http://upstream:1"));
}

TEST_F(HttpClientTest, TriesTheOtherAddresses) {
  FixedResolver resolver({"127.0.0.2", "127.0.0.1"});  // nobody listens on the first
  http::Url origin{.scheme = "http", .host = "upstream", .port = upstream_.port()};
  client_ = HttpClient::make(loop_.get(), resolver, origin, {});
  Answer answer = answer_of(kOk + "Content-Length: 2\r\n\r\nhi");
  EXPECT_EQ(body_of(answer), "hi");
}

TEST_F(HttpClientTest, HttpsWithoutTlsSettingsIsNeverSentInClear) {
  http::Url origin{.scheme = "https", .host = "upstream", .port = upstream_.port()};
  client_ = HttpClient::make(loop_.get(), resolver_, origin, {});
  http::Request request = get();
  const Answer refused = loop_.run(client_->send(request));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(upstream_.accepted, 0);
}

TEST_F(HttpClientTest, TooManyConnectionsAreExhausted) {
  make({.connections = 1});
  http::Request first = get(), second = get();
  std::optional<Answer> pending;
  start(first, pending);
  const Answer refused = loop_.run(client_->send(second));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  accepted()->close();
  (void)take(pending);
}

TEST_F(HttpClientTest, SlowAnswerIsATimeout) {
  make({.response_timeout = milliseconds(20)});
  http::Request request = get();
  const Answer late = loop_.run(client_->send(request));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
}

TEST_F(HttpClientTest, StalledBodyIsATimeout) {
  make({.idle_timeout = milliseconds(20)});
  Answer answer = answer_of(kOk + "Content-Length: 10\r\n\r\nabc", false);
  EXPECT_EQ(body_of(answer), "cut: timeout");
}

TEST_F(HttpClientTest, BodyThatIsCutShortIsAnError) {
  make();
  Answer sized = answer_of(kOk + "Content-Length: 10\r\n\r\nabc");
  EXPECT_EQ(body_of(sized), "cut: corrupt");
  Answer chunked = answer_of(kOk + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_EQ(body_of(chunked), "cut: corrupt");
}

TEST_F(HttpClientTest, CancellationEndsTheRequest) {
  make();
  http::Cancellation cancellation;
  http::Request request = get();
  request.cancellation = &cancellation;
  std::optional<Answer> pending;
  start(request, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  (void)head_at(*connection);
  cancellation.cancel();
  const Answer cancelled = take(pending);
  ASSERT_FALSE(cancelled.has_value());
  EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(loop_.run(connection->rest()), "<reset>");
}

TEST_F(HttpClientTest, CancellationEndsTheAnswersBody) {
  make();
  http::Cancellation cancellation;
  http::Request request = get();
  request.cancellation = &cancellation;
  Answer answer = answer_of(kOk + "Content-Length: 10\r\n\r\nabc", false, std::move(request));
  cancellation.cancel();
  EXPECT_EQ(body_of(answer), "cut: cancelled");
}

// Reuse.

TEST_F(HttpClientTest, OddAnswersEndTheirConnection) {  // CVE-2026-73548
  make();
  const std::string empty = "Content-Length: 0\r\n";
  for (const std::string& answer :
       {kOk + empty + "Connection: close\r\n\r\n", kOk + "Content-Length: 2\r\n\r\nhiHTTP/1.1 200",
        "HTTP/1.0 200 OK\r\n" + empty + "\r\n",
        std::string("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n")}) {
    Answer taken = answer_of(answer, false);
    ASSERT_TRUE(taken.has_value()) << answer;
    taken = Answer();
    EXPECT_FALSE(reuses(*last_)) << answer;
  }
}

TEST_F(HttpClientTest, AbandonedBodyEndsItsConnection) {
  make();
  Answer taken = answer_of(kOk + "Content-Length: 10\r\n\r\nabc", false);
  taken = Answer();
  EXPECT_FALSE(reuses(*last_));
}

TEST_F(HttpClientTest, BytesThatNobodyAskedForEndAConnection) {
  make();
  (void)answer_of(kOk + "Content-Length: 0\r\n\r\n", false);
  loop_.run(last_->send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"));
  loop_.run(loop_.get().sleep(milliseconds(10)));
  EXPECT_FALSE(reuses(*last_));
}

TEST_F(HttpClientTest, ConnectionThatTheUpstreamClosedIsNotReused) {
  make();
  (void)answer_of(kOk + "Content-Length: 0\r\n\r\n", false);
  last_->stream().finish();
  loop_.run(loop_.get().sleep(milliseconds(10)));
  EXPECT_FALSE(reuses(*last_));
}

TEST_F(HttpClientTest, ConnectionThatIdledTooLongIsClosed) {
  make({.pool_idle_timeout = milliseconds(20)});
  (void)answer_of(kOk + "Content-Length: 0\r\n\r\n", false);
  EXPECT_EQ(loop_.run(last_->rest()), "");
}

TEST_F(HttpClientTest, IdempotentRequestIsSentOnceMoreIfItsReusedConnectionFails) {
  make();
  (void)answer_of(kOk + "Content-Length: 0\r\n\r\n", false);
  http::Request request = get("/again");
  std::optional<Answer> pending;
  start(request, pending);
  EXPECT_THAT(head_at(*last_), StartsWith("GET /again"));
  last_->close();
  std::unique_ptr<RawConnection> fresh = accepted();
  EXPECT_THAT(head_at(*fresh), StartsWith("GET /again"));
  fresh->close();  // and not a third time
  EXPECT_FALSE(take(pending).has_value());
}

TEST_F(HttpClientTest, OthersAreNotSentTwice) {
  make();
  (void)answer_of(kOk + "Content-Length: 0\r\n\r\n", false);
  http::Request request = get("/again");
  request.method = "POST";
  std::optional<Answer> pending;
  start(request, pending);
  EXPECT_THAT(head_at(*last_), StartsWith("POST /again"));
  last_->close();
  EXPECT_FALSE(take(pending).has_value());
  EXPECT_EQ(upstream_.accepted, 1);
}

TEST_F(HttpClientTest, NothingIsSentTwiceOnceAnAnswerHasBegun) {
  make();
  (void)answer_of(kOk + "Content-Length: 0\r\n\r\n", false);
  http::Request request = get("/again");
  std::optional<Answer> pending;
  start(request, pending);
  (void)head_at(*last_);
  loop_.run(last_->send("HTTP/1.1 200"));
  last_->stream().finish();
  EXPECT_FALSE(take(pending).has_value());
  EXPECT_EQ(upstream_.accepted, 1);
}

// Bodies of requests.

class HttpUploadTest : public HttpClientTest {
 protected:
  http::Request post(std::vector<std::string> pieces, std::optional<std::uint64_t> length = {},
                     bool waits = true, bool cut = false) {
    http::Request request = get("/up");
    request.method = "POST";
    request.body = http::Body(
        std::make_unique<PieceReader>(loop_.get(), std::move(pieces), waits, cut), length);
    return request;
  }
};

TEST_F(HttpUploadTest, WholeBodySaysItsLengthEvenIfEmpty) {
  make();
  for (const std::string body : {"", "abc"}) {
    http::Request request = get();
    request.method = "POST";
    request.body = http::Body(body);
    std::optional<Answer> pending;
    start(request, pending);
    std::unique_ptr<RawConnection> connection = accepted();
    EXPECT_THAT(head_at(*connection),
                EndsWith("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n"));
    EXPECT_EQ(loop_.run(connection->until(body)), body);
    loop_.run(connection->send(kOk + "Content-Length: 0\r\nConnection: close\r\n\r\n"));
    EXPECT_TRUE(take(pending).has_value());
  }
}

TEST_F(HttpUploadTest, StreamOfKnownLengthAndOfUnknown) {
  make();
  http::Request sized = post({"abc", "de"}, 5);
  std::optional<Answer> pending;
  start(sized, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  EXPECT_THAT(head_at(*connection), HasSubstr("Content-Length: 5\r\n"));
  EXPECT_EQ(loop_.run(connection->until("abcde")), "abcde");
  loop_.run(connection->send(kOk + "Content-Length: 0\r\n\r\n"));
  EXPECT_TRUE(take(pending).has_value());

  http::Request chunked = post({"abc", "de"});
  std::optional<Answer> second;
  start(chunked, second);
  EXPECT_THAT(head_at(*connection), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(loop_.run(connection->until("0\r\n\r\n")), "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  loop_.run(connection->send(kOk + "Content-Length: 0\r\n\r\n"));
  EXPECT_TRUE(take(second).has_value());
  EXPECT_TRUE(reuses(*connection));
}

TEST_F(HttpUploadTest, BodyThatCannotBeReadDoesNotLookWhole) {
  make();
  http::Request request = post({"abc"}, {}, true, true);
  std::optional<Answer> pending;
  start(request, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  const std::string got = loop_.run(connection->rest());
  EXPECT_THAT(got, EndsWith("<reset>"));
  EXPECT_THAT(got, Not(HasSubstr("\r\n0\r\n")));
  const Answer failed = take(pending);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().message, "cut short");
}

TEST_F(HttpUploadTest, BodyShorterThanItSaidDoesNotLookWhole) {
  make();
  http::Request request = post({"abc"}, 5);
  std::optional<Answer> pending;
  start(request, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  EXPECT_THAT(loop_.run(connection->rest()), EndsWith("<reset>"));
  EXPECT_FALSE(take(pending).has_value());
}

TEST_F(HttpUploadTest, EarlyAnswerStopsTheUpload) {
  make();
  http::Request request = post(std::vector<std::string>(100'000, std::string(1000, 'x')));
  std::optional<Answer> pending;
  start(request, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  (void)head_at(*connection);
  loop_.run(connection->send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"));
  Answer answer = take(pending);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(body_of(answer), "no");
  EXPECT_THAT(loop_.run(connection->rest()), Not(HasSubstr("\r\n0\r\n\r\n")));
  EXPECT_FALSE(reuses(*connection));
}

// Upgrades.

class HttpUpgradeTest : public HttpClientTest {
 protected:
  static constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

  static http::Request websocket() {
    http::Request request = get("/ws");
    request.upgrade = "websocket";
    request.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    return request;
  }
};

TEST_F(HttpUpgradeTest, GivesAStreamAfterTheRight101) {
  make();
  http::Request request = websocket();
  std::optional<Answer> pending;
  start(request, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  EXPECT_THAT(head_at(*connection), HasSubstr("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  loop_.run(
      connection->send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\nSec-WebSocket-Accept: " +
                       std::string(kAccept) + "\r\n\r\nearly"));
  Answer answer = take(pending);
  ASSERT_TRUE(answer.has_value() && answer->upgrade);
  EXPECT_EQ(answer->headers.get("sec-websocket-accept"), kAccept);
  const Result<std::string_view> early = loop_.run(answer->upgrade->read());
  EXPECT_EQ(*early, "early");
  EXPECT_TRUE(loop_.run(answer->upgrade->write("ping")).has_value());
  EXPECT_EQ(loop_.run(connection->until("ping")), "ping");
  answer->upgrade->finish();
  EXPECT_EQ(loop_.run(connection->rest()), "");
}

TEST_F(HttpUpgradeTest, A101ThatNobodyAskedForIsCorrupt) {  // CVE-2024-23326
  make();
  const std::string switching =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ";
  const Answer unasked = answer_of(switching + "websocket\r\n\r\n");
  ASSERT_FALSE(unasked.has_value());
  EXPECT_EQ(unasked.error().code, ErrorCode::kCorrupt);
  const Answer other = answer_of(switching + "h2c\r\n\r\n", true, websocket());
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::kCorrupt);
}

TEST_F(HttpUpgradeTest, A101ThatDoesNotAcceptTheKeyIsCorrupt) {
  make();
  const std::string switching =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  for (const std::string& accept : {std::string(), std::string("Sec-WebSocket-Accept: x\r\n")}) {
    const Answer answer = answer_of(switching + accept + "\r\n", true, websocket());
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(HttpUpgradeTest, RefusedUpgradeIsAnAnswerAndEndsItsConnection) {  // CVE-2026-2833
  make();
  Answer answer = answer_of(kOk + "Content-Length: 2\r\n\r\nhi", false, websocket());
  EXPECT_EQ(answer->upgrade, nullptr);
  EXPECT_EQ(body_of(answer), "hi");
  EXPECT_FALSE(reuses(*last_));
}

class HttpConnectTest : public HttpClientTest {
 protected:
  static http::Request connect() {
    http::Request request;
    request.method = "CONNECT";
    request.authority = "example.org:443";
    request.upgrade = http::kConnect;
    return request;
  }
};

TEST_F(HttpConnectTest, GivesAStreamAfterAny2xxWhateverItsFieldsSay) {
  make();
  http::Request request = connect();
  std::optional<Answer> pending;
  start(request, pending);
  std::unique_ptr<RawConnection> connection = accepted();
  EXPECT_THAT(head_at(*connection), StartsWith("CONNECT example.org:443 HTTP/1.1\r\n"));
  loop_.run(connection->send("HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nearly"));
  Answer answer = take(pending);
  ASSERT_TRUE(answer.has_value() && answer->upgrade);
  EXPECT_EQ(answer->status, 101);
  EXPECT_EQ(*loop_.run(answer->upgrade->read()), "early");
  EXPECT_TRUE(loop_.run(answer->upgrade->write("ping")).has_value());
  EXPECT_EQ(loop_.run(connection->until("ping")), "ping");
}

TEST_F(HttpConnectTest, AnyOtherAnswerIsOneAndEndsItsConnection) {
  make();
  Answer answer =
      answer_of("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", false, connect());
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->upgrade, nullptr);
  EXPECT_EQ(body_of(answer), "no");
  EXPECT_FALSE(reuses(*last_));
  const Answer switched = answer_of(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: connect\r\n\r\n", true,
      connect());
  ASSERT_FALSE(switched.has_value());
  EXPECT_EQ(switched.error().code, ErrorCode::kCorrupt);
}

// Over TLS.

TEST_F(HttpClientTest, SpeaksHttpsToAServerWhoseNameFits) {
  TestCertificates certificates;
  FunctionHandler handler([](http::Request& request) { return echo(request); });
  auto server = HttpServer::open(
      loop_.get(),
      {.endpoint = {.host = "127.0.0.1", .port = 0},
       .tls = certificates.server(certificates.issue("up", {.names = "DNS:upstream"}))},
      {}, handler, nullptr);
  ASSERT_TRUE(server.has_value());
  http::Url origin{.scheme = "https", .host = "upstream", .port = (*server)->endpoint().port};
  ClientOptions options;
  options.tls = certificates.client();
  client_ = HttpClient::make(loop_.get(), resolver_, origin, options);
  const std::string body(300'000, 'b');
  for (int i = 0; i < 2; ++i) {
    http::Request request = get("/up");
    request.method = "POST";
    request.body = http::Body(body);
    Answer answer = loop_.run(client_->send(request));
    EXPECT_EQ(body_of(answer), "POST /up " + body);
  }
  EXPECT_EQ((*server)->connections(), 1u);
  origin.host = "other";
  client_ = HttpClient::make(loop_.get(), resolver_, origin, options);
  http::Request request = get();
  const Answer refused = loop_.run(client_->send(request));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, ConnectsToTheAddressThatIsGivenWithoutResolving) {
  FixedResolver nobody({"127.0.0.2"});
  http::Url origin{.scheme = "http", .host = "upstream", .port = upstream_.port()};
  client_ = HttpClient::make(loop_.get(), nobody, origin, {.address = "127.0.0.1"});
  Answer answer = answer_of(kOk + "Content-Length: 2\r\n\r\nok");
  EXPECT_EQ(body_of(answer), "ok");
}

TEST_F(HttpClientTest, AConnectionBeyondItsLifetimeIsNotUsedAgain) {
  make({.connection_lifetime = milliseconds(1)});
  Answer answer = answer_of(kOk + "Content-Length: 0\r\n\r\n", false);
  ASSERT_TRUE(answer);
  loop_.run_until(
      [this, from = loop_.get().now()] { return loop_.get().now() - from > milliseconds(2); });
  EXPECT_FALSE(reuses(*last_));
}

TEST_F(HttpClientTest, TimeOutsOfZeroAreNone) {
  make({.connect_timeout = milliseconds(0),
        .response_timeout = milliseconds(0),
        .idle_timeout = milliseconds(0),
        .pool_idle_timeout = milliseconds(0)});
  Answer answer = answer_of(kOk + "Content-Length: 2\r\n\r\nok", false);
  EXPECT_EQ(body_of(answer), "ok");
  EXPECT_TRUE(reuses(*last_));
}

TEST_F(HttpClientTest, TellsHowFarARequestCame) {
  using Progress = HttpClient::Progress;
  const auto progress_of = [this](std::string bytes) {
    make();
    http::Request request = get();
    std::optional<Answer> answer;
    Progress progress = Progress::kRefused;
    spawn(client_->send(request, {}, &progress),
          [&answer](Answer got) { answer.emplace(std::move(got)); });
    std::unique_ptr<RawConnection> connection = accepted();
    (void)head_at(*connection);
    loop_.run(connection->send(std::move(bytes)));
    connection->close();
    EXPECT_FALSE(take(answer));
    return progress;
  };
  EXPECT_EQ(progress_of(""), Progress::kSent);
  EXPECT_EQ(progress_of("HTTP/1.1 200"), Progress::kAnswered);

  FixedResolver nobody({"127.0.0.2"});
  http::Url origin{.scheme = "http", .host = "upstream", .port = upstream_.port()};
  client_ = HttpClient::make(loop_.get(), nobody, origin, {});
  http::Request request = get();
  Progress progress = Progress::kSent;
  EXPECT_FALSE(loop_.run(client_->send(request, {}, &progress)));
  EXPECT_EQ(progress, Progress::kUnsent);
}

TEST_F(HttpClientTest, ClientsThatShareACountShareItsLimits) {
  auto counts = std::make_shared<ConnectionCounts>(loop_.get());
  counts->open_limit = 1;
  make({.shared_counts = counts});
  std::unique_ptr<HttpClient> other = std::move(client_);
  make({.shared_counts = counts});
  Answer answer = answer_of(kOk + "Content-Length: 0\r\n\r\n", false);
  ASSERT_TRUE(answer);
  EXPECT_EQ(counts->open, 1U);
  EXPECT_EQ(client_->connections(), 1U);

  http::Request request = get();
  Answer refused = loop_.run(other->send(request));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(counts->open_refused, 1U);

  EXPECT_TRUE(client_->close_idle());
  EXPECT_FALSE(client_->close_idle());
  EXPECT_EQ(counts->open, 0U);
  std::swap(other, client_);
  EXPECT_TRUE(answer_of(kOk + "Content-Length: 0\r\n\r\n", false));
}

TEST_F(HttpClientTest, RequestsThatWaitForAConnectionAreLimited) {
  auto counts = std::make_shared<ConnectionCounts>(loop_.get());
  counts->waiting_limit = 1;
  make({.shared_counts = counts});
  http::Request first = get(), second = get();
  std::optional<Answer> answers[2];
  start(first, answers[0]);
  EXPECT_EQ(counts->waiting, 1U);
  start(second, answers[1]);
  ASSERT_TRUE(answers[1].has_value());
  EXPECT_EQ(answers[1]->error().code, ErrorCode::kExhausted);
  EXPECT_EQ(counts->waiting_refused, 1U);
  std::unique_ptr<RawConnection> connection = accepted();
  (void)head_at(*connection);
  EXPECT_EQ(counts->waiting, 0U);
  loop_.run(connection->send(kOk + "Content-Length: 0\r\n\r\n"));
  EXPECT_TRUE(take(answers[0]));
}

// Together: a proxy of one handler.

class ProxyTest : public HttpClientTest {
 protected:
  void proxy() {
    make();
    Result<std::unique_ptr<HttpServer>> server =
        HttpServer::open(loop_.get(), {.endpoint = {.host = "127.0.0.1", .port = 0}},
                         {.half_closed_timeout = milliseconds(20)}, handler_, nullptr);
    server_ = *std::move(server);
  }
  std::unique_ptr<RawConnection> connect() {
    return loop_.run(connect_raw(loop_.get(), server_->endpoint().port));
  }
  static Task<http::Response> forward(HttpClient& client, http::Request& request) {
    Answer answer = co_await client.send(request);
    if (answer) co_return *std::move(answer);
    http::Response response;
    response.status = 502;
    co_return response;
  }

  FunctionHandler handler_{[this](http::Request& request) { return forward(*client_, request); }};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(ProxyTest, BadChunkAfterTheHeadIsA400AndNoWholeRequestUpstream) {
  proxy();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(
      client->send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
  std::unique_ptr<RawConnection> connection = accepted();
  EXPECT_THAT(loop_.run(connection->until("abc\r\n")), HasSubstr("Transfer-Encoding: chunked"));
  loop_.run(client->send("3\r\ndefX\r\n0\r\n\r\n"));
  EXPECT_THAT(loop_.run(client->rest()), StartsWith("HTTP/1.1 400 Bad Request"));
  const std::string upstream_saw = loop_.run(connection->rest());
  EXPECT_THAT(upstream_saw, EndsWith("<reset>"));
  EXPECT_THAT(upstream_saw, Not(HasSubstr("0\r\n\r\n")));
}

TEST_F(ProxyTest, EarlyAnswerLeavesTheRestOfTheUploadToTheServer) {
  proxy();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"));
  std::unique_ptr<RawConnection> connection = accepted();
  (void)loop_.run(connection->until("abc"));
  loop_.run(connection->send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  EXPECT_THAT(loop_.run(client->until("\r\n\r\nno")), StartsWith("HTTP/1.1 403"));
  loop_.run(client->send("defGET /next HTTP/1.1\r\nHost: a\r\n\r\n"));
  connection = accepted();
  EXPECT_THAT(head_at(*connection), StartsWith("GET /next HTTP/1.1\r\n"));
}

TEST_F(ProxyTest, ClientThatGoesEndsTheRequestUpstream) {
  proxy();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  std::unique_ptr<RawConnection> connection = accepted();
  (void)head_at(*connection);
  client->close();
  EXPECT_EQ(loop_.run(connection->rest()), "<reset>");
}

TEST_F(ProxyTest, WebSocketIsRelayedWithHalfClose) {
  proxy();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(
      client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
  std::unique_ptr<RawConnection> connection = accepted();
  (void)head_at(*connection);
  loop_.run(
      connection->send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                       "Upgrade: websocket\r\n"
                       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello"));
  EXPECT_THAT(loop_.run(client->until("hello")), StartsWith("HTTP/1.1 101 "));
  loop_.run(client->send("question"));
  client->stream().finish();
  EXPECT_EQ(loop_.run(connection->rest()), "question");
  loop_.run(connection->send("answer"));
  connection->stream().finish();
  EXPECT_EQ(loop_.run(client->rest()), "answer");
}

TEST_F(ProxyTest, EventsArriveAsTheyComeAndEndWithTheirUpstream) {
  proxy();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  std::unique_ptr<RawConnection> connection = accepted();
  (void)head_at(*connection);
  loop_.run(connection->send(kOk + "Transfer-Encoding: chunked\r\n\r\n7\r\ndata: 1\r\n"));
  EXPECT_THAT(loop_.run(client->until("data: 1\r\n")), HasSubstr("7\r\n"));
  loop_.run(connection->send("7\r\ndata: 2\r\n"));
  EXPECT_EQ(loop_.run(client->until("data: 2\r\n")), "7\r\ndata: 2\r\n");
  connection->close();
  EXPECT_THAT(loop_.run(client->rest()), Not(HasSubstr("0\r\n")));
}

// Bodies that the kernel moves from socket to socket.

std::string long_body() {
  std::string body;
  while (body.size() < 3'000'000) body.append(std::to_string(body.size())).append("\n");
  return body;
}

/// Counts what is read of a body instead of being moved.
class ReadCounter final : public http::BodyReader {
 public:
  ReadCounter(std::unique_ptr<http::BodyReader> body, std::size_t& count)
      : body_(std::move(body)), count_(count) {}
  Task<Result<std::string_view>> read() override {
    Result<std::string_view> piece = co_await body_->read();
    if (piece) count_ += piece->size();
    co_return piece;
  }
  bool ready() const override { return body_->ready(); }
  http::SocketBytes* in_socket() override { return body_->in_socket(); }

 private:
  std::unique_ptr<http::BodyReader> body_;
  std::size_t& count_;
};

class MovedBodyTest : public ProxyTest {
 protected:
  MovedBodyTest() {
    ::signal(SIGPIPE, SIG_IGN);
    handler_ =
        FunctionHandler([this](http::Request& request) { return count_and_forward(request); });
    proxy();
  }
  Task<http::Response> count_and_forward(http::Request& request) {
    count(request.body);
    http::Response response = co_await forward(*client_, request);
    count(response.body);
    co_return response;
  }
  void count(http::Body& body) {
    if (!body.stream) return;
    body.stream = std::make_unique<ReadCounter>(std::move(body.stream), read_);
    if (forget_lengths_) body.length.reset();
  }
  static Task<void> send(RawConnection& connection, std::string bytes) {
    (void)co_await connection.send(std::move(bytes));
  }
  /// Sends without waiting for it.
  void begin_to_send(RawConnection& connection, std::string bytes) {
    loop_.get().spawn(send(connection, std::move(bytes)));
  }
  std::unique_ptr<RawConnection> ask(RawConnection& client) {
    loop_.run(client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    std::unique_ptr<RawConnection> connection = accepted();
    (void)head_at(*connection);
    return connection;
  }

  const std::string body_ = long_body();
  const std::string length_ = "Content-Length: " + std::to_string(body_.size()) + "\r\n\r\n";
  std::size_t read_ = 0;
  bool forget_lengths_ = false;
};

TEST_F(MovedBodyTest, AnAnswersBodyArrivesAsItWas) {
  std::unique_ptr<RawConnection> client = connect();
  for (int i = 0; i < 2; ++i) {
    std::unique_ptr<RawConnection> connection = ask(*client);
    begin_to_send(*connection, kOk + length_ + body_);
    (void)head_at(*client);
    EXPECT_TRUE(loop_.run(client->until(body_)) == body_);
  }
  EXPECT_LT(read_, body_.size());
}

TEST_F(MovedBodyTest, ARequestsBodyArrivesAsItWas) {
  std::unique_ptr<RawConnection> client = connect();
  begin_to_send(*client, "PUT / HTTP/1.1\r\nHost: a\r\n" + length_ + body_);
  std::unique_ptr<RawConnection> connection = accepted();
  EXPECT_THAT(head_at(*connection), HasSubstr(length_));
  EXPECT_TRUE(loop_.run(connection->until(body_)) == body_);
  loop_.run(connection->send(kOk + "Content-Length: 2\r\n\r\nok"));
  EXPECT_THAT(loop_.run(client->until("ok")), StartsWith("HTTP/1.1 200 "));
  EXPECT_LT(read_, body_.size() / 2);
  // Both connections are in order.
  loop_.run(client->send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_THAT(head_at(*connection), StartsWith("GET /next HTTP/1.1\r\n"));
}

TEST_F(MovedBodyTest, WhatIsSentInChunksIsNotMoved) {
  forget_lengths_ = true;
  std::unique_ptr<RawConnection> client = connect();
  std::unique_ptr<RawConnection> connection = ask(*client);
  begin_to_send(*connection, kOk + length_ + body_);
  EXPECT_THAT(head_at(*client), HasSubstr("Transfer-Encoding: chunked"));
  (void)loop_.run(client->until("0\r\n\r\n"));
  EXPECT_EQ(read_, body_.size());
}

TEST_F(MovedBodyTest, OneThatIsCutShortDoesNotLookWhole) {
  std::unique_ptr<RawConnection> client = connect();
  std::unique_ptr<RawConnection> connection = ask(*client);
  loop_.run(connection->send(kOk + length_ + body_.substr(0, 100'000)));
  connection->close();
  EXPECT_THAT(loop_.run(client->rest()), EndsWith("<reset>"));

  client = connect();
  loop_.run(client->send("PUT / HTTP/1.1\r\nHost: a\r\n" + length_ + body_.substr(0, 100'000)));
  connection = accepted();
  (void)head_at(*connection);
  client->close();
  EXPECT_THAT(loop_.run(connection->rest()), EndsWith("<reset>"));
}

TEST_F(MovedBodyTest, WhoTakesNoMoreEndsIt) {
  std::unique_ptr<RawConnection> client = connect();
  std::unique_ptr<RawConnection> connection = ask(*client);
  begin_to_send(*connection, kOk + length_ + body_);
  (void)head_at(*client);
  client->close();
  EXPECT_THAT(loop_.run(connection->rest()), EndsWith("<reset>"));
}

TEST_F(MovedBodyTest, AClientThatGoesWhileTheUpstreamIsSilentEndsIt) {
  std::unique_ptr<RawConnection> client = connect();
  std::unique_ptr<RawConnection> connection = ask(*client);
  loop_.run(connection->send(kOk + length_ + "begun"));
  (void)head_at(*client);
  EXPECT_EQ(loop_.run(client->until("begun")), "begun");
  client->close();
  EXPECT_EQ(loop_.run(connection->rest()), "<reset>");
}

}  // namespace
}  // namespace gatehouse::net
