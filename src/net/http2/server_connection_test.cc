#include "net/http2/server_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "net/http2/test_server.h"

namespace gatehouse::net::http2 {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST_F(Http2ServerTest, AnswersByPriorKnowledge) {
  serve_echo();
  auto client = greet(headers(1, request_fields("GET", "/x")));
  const RawPeer::Answer got = answer(*client, 1);
  EXPECT_EQ(got.status, "200");
  EXPECT_EQ(got.body, "GET /x ");
  EXPECT_EQ(got.field("content-length"), "7");
  EXPECT_THAT(got.field("date"), HasSubstr("GMT"));
  EXPECT_TRUE(got.ended);
  wait_for_exchanges(1);
  EXPECT_EQ(recorder_.all[0].status, 200);
  EXPECT_EQ(recorder_.all[0].sent, 7u);
  EXPECT_TRUE(recorder_.all[0].complete);
}

TEST_F(Http2ServerTest, TakesAPrefaceByteByByte) {
  serve_echo();
  auto client = connect();
  const std::string all = std::string(kPreface) + settings() + headers(1, request_fields());
  for (const char c : all) say(*client, std::string(1, c));
  EXPECT_EQ(answer(*client, 1).body, "GET / ");
}

TEST_F(Http2ServerTest, ServesNoPriorKnowledgeWhereItIsOff) {
  ServerOptions options;
  options.http2.enabled = false;
  serve_echo(options);
  auto client = connect();
  say(*client, std::string(kPreface) + settings());
  EXPECT_THAT(loop_.run(client->raw().rest()), HasSubstr("HTTP/1.1 505 "));
}

TEST_F(Http2ServerTest, NeverHeedsUpgradeToH2c) {
  serve_echo();
  auto client = connect();
  say(*client,
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n");
  EXPECT_THAT(loop_.run(client->raw().rest()), testing::StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(Http2ServerTest, ReadsAWholeBodyThatCameWithItsHead) {
  serve([](http::Request& request) {
    return text_answer(200, request.body.stream ? "streamed" : request.body.bytes);
  });
  auto client = greet(headers(1, request_fields("POST"), kEndHeadersFlag) + data(1, "abc", true));
  EXPECT_EQ(answer(*client, 1).body, "abc");
}

TEST_F(Http2ServerTest, StreamsABodyLargerThanTheWindow) {
  serve_echo();
  auto client =
      greet(frame(FrameType::kSettings, kAckFlag, 0) + window_update(0, 1 << 20) +
            settings(setting(4, 1 << 20)) + headers(1, request_fields("POST"), kEndHeadersFlag));
  const std::string piece(16 * 1024, 'x');
  std::size_t window = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    while (window < piece.size()) {
      // What RFC 9113 §6.9.2 gives at first is taken for granted; more comes as it is read.
      if (i == 0) window = 15 * piece.size();
      if (window >= piece.size()) break;
      const ReceivedFrame more = loop_.run(client->next_of(FrameType::kWindowUpdate));
      ASSERT_FALSE(RawPeer::is_end(more));
      if (more.head.stream == 1) window += more.code();
    }
    say(*client, data(1, piece, false));
    window -= piece.size();
  }
  say(*client, data(1, "end", true));
  const RawPeer::Answer got = answer(*client, 1);
  EXPECT_EQ(got.status, "200");
  EXPECT_EQ(got.body.size(), 40 * piece.size() + 3 + 7);
}

TEST_F(Http2ServerTest, StreamsAnswersWithTrailers) {
  serve([this](http::Request& /*request*/) {
    http::Response response;
    auto body =
        std::make_unique<PieceReader>(loop_.get(), std::vector<std::string>{"one", "two"}, true);
    body->trailers_.add("Grpc-Status", "0");
    body->trailers_.add("X-Own", "1");
    body->trailers_.add("Set-Cookie", "a=b");
    response.headers.add("Content-Type", "application/grpc+proto");
    response.body = http::Body(std::move(body));
    return ready_answer(std::move(response));
  });
  auto client = greet(headers(1, request_fields()));
  const RawPeer::Answer got = answer(*client, 1);
  EXPECT_EQ(got.body, "onetwo");
  EXPECT_EQ(got.field("content-type"), "application/grpc+proto");
  EXPECT_THAT(got.trailers, ElementsAre(Pair("grpc-status", "0"), Pair("x-own", "1")));
  EXPECT_TRUE(got.ended);
}

TEST_F(Http2ServerTest, OtherAnswersThanGrpcHaveFewTrailers) {
  serve([this](http::Request& /*request*/) {
    http::Response response;
    auto body = std::make_unique<PieceReader>(loop_.get(), std::vector<std::string>{"one"}, true);
    body->trailers_.add("Server-Timing", "db");
    body->trailers_.add("X-Own", "1");
    response.body = http::Body(std::move(body));
    return ready_answer(std::move(response));
  });
  auto client = greet(headers(1, request_fields()));
  EXPECT_THAT(answer(*client, 1).trailers, ElementsAre(Pair("server-timing", "db")));
}

TEST_F(Http2ServerTest, ResetsAStreamWhoseAnswerIsCutShort) {
  serve([this](http::Request& /*request*/) {
    http::Response response;
    response.body = http::Body(
        std::make_unique<PieceReader>(loop_.get(), std::vector<std::string>{"one"}, true, true));
    return ready_answer(std::move(response));
  });
  auto client = greet(headers(1, request_fields()));
  EXPECT_EQ(answer(*client, 1).reset, FrameError::kInternalError);
  EXPECT_TRUE(is_alive(*client));
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
}

TEST_F(Http2ServerTest, ResetsAStreamWhoseAnswerIsShorterThanSaid) {
  serve([this](http::Request& /*request*/) {
    http::Response response;
    response.body = http::Body(
        std::make_unique<PieceReader>(loop_.get(), std::vector<std::string>{"one"}, true), 5);
    return ready_answer(std::move(response));
  });
  auto client = greet(headers(1, request_fields()));
  EXPECT_EQ(answer(*client, 1).reset, FrameError::kInternalError);
}

TEST_F(Http2ServerTest, LeavesTheBodyOutOfAnswersThatHaveNone) {
  serve([](http::Request& request) {
    return text_answer(request.target.path() == "/204" ? 204 : 200, "text");
  });
  auto client =
      greet(headers(1, request_fields("HEAD")) + headers(3, request_fields("GET", "/204")));
  const RawPeer::Answer head = answer(*client, 1);
  EXPECT_EQ(head.field("content-length"), "4");
  EXPECT_EQ(head.body, "");
  EXPECT_TRUE(head.ended);
  const RawPeer::Answer none = answer(*client, 3);
  EXPECT_EQ(none.status, "204");
  EXPECT_EQ(none.field("content-length"), "");
  EXPECT_TRUE(none.ended);
}

TEST_F(Http2ServerTest, ServesManyStreamsAtOnce) {
  serve_echo();
  std::string requests;
  for (std::uint32_t id = 1; id < 200; id += 2) {
    requests += headers(id, request_fields("GET", "/" + std::to_string(id)));
  }
  auto client = greet(requests);
  for (std::uint32_t id = 1; id < 200; id += 2) {
    EXPECT_EQ(answer(*client, id).body, "GET /" + std::to_string(id) + " ");
  }
  wait_for_exchanges(100);
}

TEST_F(Http2ServerTest, JoinsCookieCrumbsAndTakesTeTrailers) {
  serve([](http::Request& request) {
    return text_answer(200, std::string(request.headers.only("cookie").value_or("")) + "|" +
                                std::string(request.headers.only("te").value_or("")));
  });
  auto client = greet(headers(
      1, request_fields("GET", "/", {{"cookie", "a=1"}, {"te", "trailers"}, {"cookie", "b=2"}})));
  EXPECT_EQ(answer(*client, 1).body, "a=1; b=2|trailers");
}

TEST_F(Http2ServerTest, CancelsAHandlerWhoseStreamIsReset) {
  bool cancelled = false;
  Event release(loop_.get());
  serve([&](http::Request& request) -> Task<http::Response> {
    request.cancellation->listen([&] {
      cancelled = true;
      release.happen();
    });
    co_await release;
    co_return http::make_response(200, "text/plain", "late");
  });
  auto client = greet(headers(1, request_fields()));
  EXPECT_TRUE(is_alive(*client));
  say(*client, reset_of(1));
  wait_for_exchanges(1);
  EXPECT_TRUE(cancelled);
  EXPECT_FALSE(recorder_.all[0].complete);
  EXPECT_TRUE(is_alive(*client));
}

TEST_F(Http2ServerTest, CancelsWhatIsUnderWayWhenTheClientGoes) {
  Event release(loop_.get());
  serve([&](http::Request& request) -> Task<http::Response> {
    request.cancellation->listen([&] { release.happen(); });
    co_await release;
    co_return http::make_response(200, "text/plain", "late");
  });
  auto client = greet(headers(1, request_fields()));
  EXPECT_TRUE(is_alive(*client));
  client->raw().close();
  wait_for_exchanges(1);
  wait_for_no_connection();
}

TEST_F(Http2ServerTest, ResetsAnUploadThatNobodyReads) {
  serve([](http::Request& /*request*/) { return text_answer(403, "no"); });
  auto client = greet(headers(1, request_fields("POST"), kEndHeadersFlag) + data(1, "abc", false));
  EXPECT_EQ(answer(*client, 1).status, "403");
  EXPECT_EQ(fault_of(*client), "reset 0");
  // What was on its way is passed over.
  say(*client, data(1, "more", true));
  EXPECT_TRUE(is_alive(*client));
}

TEST_F(Http2ServerTest, LetsAClientEndARequestThatIsAnswered) {
  serve([](http::Request& /*request*/) { return text_answer(403, "no"); });
  const std::string upload = headers(1, request_fields("POST"), kEndHeadersFlag);
  auto client = greet(upload + data(1, "abc", false));
  EXPECT_EQ(answer(*client, 1).status, "403");
  say(*client, data(1, "more", false) + data(1, "last", true));
  wait_for_exchanges(1);
  EXPECT_TRUE(recorder_.all[0].complete);
  // The next frame of them all is not a reset.
  say(*client, frame(FrameType::kPing, 0, 0, "12345678"));
  EXPECT_EQ(loop_.run(client->next()).head.type, FrameType::kPing);
}

TEST_F(Http2ServerTest, TellsWhatIsWrongWithARequestThatIsAnswered) {
  serve([](http::Request& /*request*/) { return text_answer(403, "no"); });
  const std::string upload = headers(1, request_fields("POST"), kEndHeadersFlag);
  const std::string increment = window_update(1, 0x7fffffff);
  const std::vector<std::pair<std::string, std::string>> faults = {
      {headers(1, {{"x-digest", "1"}}, kEndHeadersFlag), "reset 1"},
      {increment + increment, "reset 3"},
      {reset_of(1) + data(1, "late", true), "goaway 5"}};
  for (const auto& [rest, fault] : faults) {
    auto client = greet(upload);
    EXPECT_EQ(answer(*client, 1).status, "403");
    say(*client, rest);
    EXPECT_EQ(fault_of(*client), fault);
  }
}

TEST_F(Http2ServerTest, SaysContinueWhenTheBodyIsAskedFor) {
  serve_echo();
  auto client =
      greet(headers(1, request_fields("POST", "/", {{"expect", "100-continue"}}), kEndHeadersFlag));
  const ReceivedFrame interim = loop_.run(client->next_of(FrameType::kHeaders));
  EXPECT_EQ(interim.field(":status"), "100");
  say(*client, data(1, "abc", true));
  EXPECT_EQ(answer(*client, 1).body, "POST / abc");
}

TEST_F(Http2ServerTest, AnswersAnExceptionWith500) {
  serve([](http::Request& /*request*/) -> Task<http::Response> {
    throw std::runtime_error("secret");
    co_return http::Response{};
  });
  auto client = greet(headers(1, request_fields()));
  EXPECT_EQ(answer(*client, 1).status, "500");
  wait_for_exchanges(1);
  EXPECT_EQ(recorder_.all[0].failure, "the handler threw an exception");
}

TEST_F(Http2ServerTest, RefusesAnUpgradeThatWasNotAskedFor) {
  serve([](http::Request& /*request*/) {
    http::Response response;
    response.status = 101;
    return ready_answer(std::move(response));
  });
  auto client = greet(headers(1, request_fields()));
  EXPECT_EQ(answer(*client, 1).status, "500");
}

TEST_F(Http2ServerTest, DrainsByAnnouncementAndLastWord) {
  serve_echo();
  auto client = greet(headers(1, request_fields("POST"), kEndHeadersFlag));
  EXPECT_TRUE(is_alive(*client));
  bool drained = false;
  spawn([](HttpServer& server, bool& done) -> Task<void> {
    co_await server.drain(milliseconds(20'000));
    done = true;
  }(*server_, drained));
  const ReceivedFrame first = loop_.run(client->next_of(FrameType::kGoaway));
  EXPECT_EQ(first.code(0), 0x7fffffffu);
  EXPECT_EQ(first.code(4), 0u);
  const ReceivedFrame ping = loop_.run(client->next_of(FrameType::kPing));
  // A stream that was on its way is still served.
  say(*client, headers(3, request_fields()) + frame(FrameType::kPing, kAckFlag, 0, ping.payload));
  const ReceivedFrame last = loop_.run(client->next_of(FrameType::kGoaway));
  ASSERT_EQ(last.payload.size(), 8u);
  EXPECT_EQ(last.code(0), 3u);
  EXPECT_EQ(answer(*client, 3).status, "200");
  say(*client, data(1, "abc", true));
  EXPECT_EQ(answer(*client, 1).body, "POST / abc");
  EXPECT_EQ(fault_of(*client), "end");
  client->raw().close();
  loop_.run_until([&] { return drained; });
}

TEST_F(Http2ServerTest, DrainsAnIdleConnectionOfAClientThatSaysNothing) {
  serve_echo();
  auto client = greet();
  EXPECT_TRUE(is_alive(*client));
  loop_.run(server_->drain(milliseconds(20'000)));
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(Http2ServerTest, CutsAtTheDrainsLimit) {
  Event release(loop_.get());
  serve([&](http::Request& request) -> Task<http::Response> {
    request.cancellation->listen([&] { release.happen(); });
    co_await release;
    co_return http::make_response(200, "text/plain", "late");
  });
  auto client = greet(headers(1, request_fields()));
  EXPECT_TRUE(is_alive(*client));
  loop_.run(server_->drain(milliseconds(50)));
  EXPECT_EQ(server_->connections(), 0u);
}

}  // namespace
}  // namespace gatehouse::net::http2
