// The limits of an HTTP/2 connection, each with its count.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "net/http2/test_server.h"
#include "net/running_task.h"

namespace gatehouse::net::http2 {
namespace {

using std::chrono::milliseconds;

const std::string kCalm = "goaway 11";

class Http2LimitsTest : public Http2ServerTest {
 protected:
  /// A handler that answers when nobody waits any more.
  void serve_none(ServerOptions options = {}) {
    serve(
        [this](http::Request& request) -> Task<http::Response> {
          Event cancelled(loop_.get());
          request.cancellation->listen([&cancelled] { cancelled.happen(); });
          co_await cancelled;
          co_return http::Response{};
        },
        options);
  }
};

// CVE-2023-44487.
TEST_F(Http2LimitsTest, EndsAConnectionThatResetsRapidly) {
  serve_none();
  std::string flood;
  for (std::uint32_t id = 1; id < 250; id += 2)
    flood += headers(id, request_fields()) + reset_of(id);
  EXPECT_EQ(fault_of(flood), kCalm);
  EXPECT_EQ(counts_.count(Limit::kResets), 1u);
  wait_for_no_connection();
}

/// A way of having the server reset a stream.
struct Provocation {
  const char* name;
  const char* length;  // Content-Length of the POST; null: none
  std::function<std::string(std::uint32_t id)> fault;
};

class Http2ProvokedResets : public Http2LimitsTest,
                            public testing::WithParamInterface<Provocation> {
 protected:
  std::string begin(std::uint32_t id) const {
    FieldPairs fields = request_fields("POST");
    if (GetParam().length != nullptr) fields.emplace_back("content-length", GetParam().length);
    return headers(id, fields, kEndHeadersFlag);
  }
};

// CVE-2025-8671: the client has the server reset the streams.
TEST_P(Http2ProvokedResets, AreCountedAsTheClientsOwn) {
  ServerOptions options;
  options.http2.resets_per_second = 50;
  serve_none(options);
  std::string flood;
  for (std::uint32_t id = 1; id < 250; id += 2) flood += begin(id) + GetParam().fault(id);
  auto client = greet(flood);
  const ReceivedFrame last = loop_.run(client->next_of(FrameType::kGoaway));
  EXPECT_EQ(last.code(4), 11u);
  EXPECT_EQ(counts_.count(Limit::kResets), 1u);
}

TEST_P(Http2ProvokedResets, AreCountedWhereTheRequestHasBegun) {
  ServerOptions options;
  options.http2.resets_per_second = 50;
  serve_none(options);
  auto client = greet("");
  for (std::uint32_t id = 1; id < 250 && counts_.count(Limit::kResets) == 0; id += 2) {
    say(*client, begin(id));
    loop_.run(loop_.get().sleep(milliseconds(1)));
    say(*client, GetParam().fault(id));
  }
  const ReceivedFrame last = loop_.run(client->next_of(FrameType::kGoaway));
  EXPECT_EQ(last.code(4), 11u);
  EXPECT_EQ(counts_.count(Limit::kResets), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, Http2ProvokedResets,
    testing::Values(
        Provocation{
            "Trailers", nullptr,
            [](std::uint32_t id) { return headers(id, {{"x-digest", "1"}}, kEndHeadersFlag); }},
        Provocation{"TooLong", "1", [](std::uint32_t id) { return data(id, "xx", true); }},
        Provocation{"TooLongAndMore", "1", [](std::uint32_t id) { return data(id, "xx", false); }},
        Provocation{"TooShort", "9", [](std::uint32_t id) { return data(id, "xx", true); }},
        Provocation{"NotNone", "0", [](std::uint32_t id) { return data(id, "x", true); }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(Http2LimitsTest, EndsAConnectionThatOpensTooManyStreamsAgainAndAgain) {
  ServerOptions options;
  options.http2.streams = 4;
  options.http2.resets_per_second = 8;
  serve_none(options);
  std::string flood;
  for (std::uint32_t id = 1; id < 60; id += 2) flood += headers(id, request_fields());
  auto client = greet(flood);
  const ReceivedFrame last = loop_.run(client->next_of(FrameType::kGoaway));
  EXPECT_EQ(last.code(4), 11u);
  EXPECT_GT(counts_.count(Limit::kStreams), 0u);
}

// CVE-2024-27919, -30255, -28182.
TEST_F(Http2LimitsTest, EndsAHeaderBlockOfTooManyFrames) {
  serve_echo();
  std::string flood = headers(1, request_fields(), kEndStreamFlag);
  for (int i = 0; i < 17; ++i) {
    flood += frame(FrameType::kContinuation, 0, 1, hpack({{"x-flood", "1"}}));
  }
  EXPECT_EQ(fault_of(flood), kCalm);
  EXPECT_EQ(counts_.count(Limit::kContinuations), 1u);
}

TEST_F(Http2LimitsTest, EndsControlFrameFloods) {
  const std::string ping = frame(FrameType::kPing, 0, 0, "12345678");
  const std::string priority = frame(FrameType::kPriority, 0, 1, number(0, 5));
  const std::string unknown = frame(static_cast<FrameType>(0x77), 0, 0, "x");
  const std::string open = headers(1, request_fields("POST"), kEndHeadersFlag);
  std::uint64_t count = 0;
  serve_none();
  for (const std::string& one :
       {ping, settings(), priority, unknown, data(1, "", false), window_update(1, 1)}) {
    std::string flood = open;
    for (int i = 0; i < 120; ++i) flood += one;
    auto client = greet(flood);
    const ReceivedFrame last = loop_.run(client->next_of(FrameType::kGoaway));
    EXPECT_EQ(last.code(4), 11u);
    EXPECT_EQ(counts_.count(Limit::kControlFrames), ++count);
  }
}

// A download with small windows is no flood.
TEST_F(Http2LimitsTest, LetsWindowUpdatesPassThatAnswerContent) {
  serve([](http::Request& /*request*/) { return text_answer(200, std::string(200 * 1024, 'x')); });
  auto client =
      greet(window_update(0, 1 << 20) + settings(setting(4, 1024)) + headers(1, request_fields()));
  std::size_t got = 0;
  while (got < 200 * 1024) {
    const ReceivedFrame piece = loop_.run(client->next_of(FrameType::kData));
    ASSERT_FALSE(RawPeer::is_end(piece));
    got += piece.payload.size();
    say(*client, window_update(1, static_cast<std::uint32_t>(piece.payload.size())));
  }
  EXPECT_EQ(counts_.count(Limit::kControlFrames), 0u);
}

TEST_F(Http2LimitsTest, RefusesHeadsThatAreTooLong) {
  ServerOptions options;
  options.limits.head_bytes = 2048;
  options.limits.fields = 10;
  serve_echo(options);
  auto client = greet(headers(1, request_fields("GET", "/", {{"x", std::string(2100, 'x')}})));
  EXPECT_EQ(answer(*client, 1).status, "431");
  FieldPairs many;
  for (int i = 0; i < 11; ++i) many.emplace_back("x", "y");
  say(*client, headers(3, request_fields("GET", "/", many)));
  EXPECT_EQ(answer(*client, 3).status, "431");
  EXPECT_EQ(counts_.count(Limit::kHeadBytes), 1u);
  EXPECT_EQ(counts_.count(Limit::kHeaderFields), 1u);
}

TEST_F(Http2LimitsTest, RefusesBodiesThatAreTooLong) {
  ServerOptions options;
  options.body_bytes = 4;
  serve_echo(options);
  auto client =
      greet(headers(1, request_fields("POST", "/", {{"content-length", "5"}}), kEndHeadersFlag));
  EXPECT_EQ(answer(*client, 1).status, "413");
  say(*client, headers(3, request_fields("POST"), kEndHeadersFlag) + data(3, "abc", false));
  EXPECT_TRUE(is_alive(*client));
  say(*client, data(3, "abc", false));
  EXPECT_EQ(answer(*client, 3).status, "413");
  EXPECT_EQ(counts_.count(Limit::kBodyBytes), 2u);
}

TEST_F(Http2LimitsTest, ClosesAConnectionWithoutSettings) {
  ServerOptions options;
  options.head_timeout = milliseconds(30);
  serve_echo(options);
  auto client = connect();
  say(*client, std::string(kPreface));
  EXPECT_EQ(fault_of(*client), kCalm);
  EXPECT_EQ(counts_.count(Limit::kHeadTimeout), 1u);
}

TEST_F(Http2LimitsTest, ClosesAConnectionWhoseHeadDoesNotEnd) {
  ServerOptions options;
  options.head_timeout = milliseconds(30);
  serve_echo(options);
  auto client = greet(headers(1, request_fields(), kEndStreamFlag));
  EXPECT_EQ(fault_of(*client), kCalm);
  EXPECT_EQ(counts_.count(Limit::kHeadTimeout), 1u);
}

TEST_F(Http2LimitsTest, ClosesAConnectionWhoseFrameDoesNotEnd) {
  ServerOptions options;
  options.head_timeout = milliseconds(30);
  serve_echo(options);
  auto client = greet(headers(1, request_fields()).substr(0, 20));
  EXPECT_EQ(fault_of(*client), kCalm);
}

TEST_F(Http2LimitsTest, ClosesAConnectionThatIdles) {
  ServerOptions options;
  options.keep_alive_timeout = milliseconds(30);
  serve_echo(options);
  auto client = greet(headers(1, request_fields()));
  EXPECT_EQ(answer(*client, 1).status, "200");
  EXPECT_EQ(fault_of(*client), "goaway 0");
  EXPECT_EQ(counts_.count(Limit::kKeepAliveTimeout), 1u);
  client->raw().close();
  wait_for_no_connection();
}

TEST_F(Http2LimitsTest, AnswersASlowBodyWith408) {
  ServerOptions options;
  options.body_idle_timeout = milliseconds(30);
  serve_echo(options);
  auto client = greet(headers(1, request_fields("POST"), kEndHeadersFlag) + data(1, "abc", false));
  EXPECT_EQ(answer(*client, 1).status, "408");
  EXPECT_EQ(counts_.count(Limit::kBodyTimeout), 1u);
  EXPECT_TRUE(is_alive(*client));
}

TEST_F(Http2LimitsTest, ABodyThatMayPauseIsNoSlowOne) {
  ServerOptions options;
  options.body_idle_timeout = milliseconds(30);
  options.body_bytes_per_second = 1'000'000;
  serve(
      [](http::Request& request) {
        request.may_pause = true;
        return echo(request);
      },
      options);
  auto client = greet(headers(1, request_fields("POST"), kEndHeadersFlag) + data(1, "abc", false));
  loop_.run(loop_.get().sleep(milliseconds(100)));
  say(*client, data(1, "def", true));
  EXPECT_EQ(answer(*client, 1).status, "200");
  EXPECT_EQ(counts_.count(Limit::kBodyTimeout), 0u);
}

TEST_F(Http2LimitsTest, AnswersADrippingBodyWith408) {
  ServerOptions options;
  options.body_idle_timeout = milliseconds(100);
  options.body_bytes_per_second = 1'000'000;
  serve_echo(options);
  auto client = greet(headers(1, request_fields("POST"), kEndHeadersFlag));
  RawPeer::Answer got;
  bool answered = false;
  spawn([](Loop& loop, RawPeer& peer, bool& done) -> Task<void> {
    while (!done) {
      co_await peer.send(data(1, "x", false));
      co_await loop.sleep(milliseconds(20));
    }
  }(loop_.get(), *client, answered));
  got = answer(*client, 1);
  answered = true;
  EXPECT_EQ(got.status, "408");
  loop_.run(loop_.get().sleep(milliseconds(40)));
}

TEST_F(Http2LimitsTest, ResetsAStreamWhoseWindowNeverOpens) {
  ServerOptions options;
  options.write_idle_timeout = milliseconds(30);
  serve_echo(options);
  auto client = greet(settings(setting(4, 0)) + headers(1, request_fields()));
  EXPECT_EQ(answer(*client, 1).reset, FrameError::kCancel);
  EXPECT_EQ(counts_.count(Limit::kWriteTimeout), 1u);
  EXPECT_TRUE(is_alive(*client));
}

TEST_F(Http2LimitsTest, CutsAConnectionThatReadsNothing) {
  ServerOptions options;
  options.write_idle_timeout = milliseconds(500);
  const std::string much(32 << 20, 'x');
  serve([&](http::Request& /*request*/) { return text_answer(200, much); }, options);
  auto client = greet(window_update(0, 0x7f000000) + settings(setting(4, 0x7f000000)) +
                      headers(1, request_fields()));
  wait_for_no_connection();
  EXPECT_EQ(counts_.count(Limit::kWriteTimeout), 1u);
  EXPECT_FALSE(recorder_.all.at(0).complete);
}

TEST_F(Http2LimitsTest, HoldsNoMoreThanAWindowOfWhatNobodyReads) {
  Event forever(loop_.get());
  serve([&](http::Request& request) -> Task<http::Response> {
    Event cancelled(loop_.get());
    request.cancellation->listen([&cancelled] { cancelled.happen(); });
    co_await cancelled;
    co_return http::Response{};
  });
  std::string flood = frame(FrameType::kSettings, kAckFlag, 0) +
                      headers(1, request_fields("POST"), kEndHeadersFlag);
  for (int i = 0; i < 17; ++i) flood += data(1, std::string(16 * 1024, 'x'), false);
  EXPECT_EQ(fault_of(flood), "reset 3");
}

TEST_F(Http2LimitsTest, EndsAConnectionAfterItsRequests) {
  ServerOptions options;
  options.requests_per_connection = 2;
  serve_echo(options);
  auto client = greet(headers(1, request_fields()) + headers(3, request_fields()));
  EXPECT_EQ(answer(*client, 1).status, "200");
  EXPECT_EQ(answer(*client, 3).status, "200");
  wait_for_no_connection();
  EXPECT_EQ(counts_.count(Limit::kRequestsPerConnection), 1u);
}

}  // namespace
}  // namespace gatehouse::net::http2
