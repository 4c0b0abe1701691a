#include "net/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "net/test_http.h"

namespace gatehouse::net {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Ended {
  std::string method;
  int status;
  std::uint64_t received, sent;
  bool complete;
  std::string failure;
};

class Recorder final : public ExchangeObserver {
 public:
  void ended(const Exchange& exchange) override {
    all.push_back({exchange.request.method, exchange.status, exchange.received, exchange.sent,
                   exchange.complete, std::string(exchange.request.trace.failure)});
  }
  std::vector<Ended> all;
};

class HttpServerTest : public testing::Test {
 protected:
  void serve(FunctionHandler::Function function, ServerOptions options = {}) {
    handler_ = std::make_unique<FunctionHandler>(std::move(function));
    Result<std::unique_ptr<HttpServer>> server =
        HttpServer::open(loop_.get(), {.endpoint = {.host = "127.0.0.1", .port = 0}}, options,
                         *handler_, &recorder_);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = *std::move(server);
  }
  void serve_echo(ServerOptions options = {}) {
    serve([](http::Request& request) { return echo(request); }, options);
  }

  std::unique_ptr<RawConnection> connect() {
    return loop_.run(connect_raw(loop_.get(), server_->endpoint().port));
  }
  /// Sends it, and gives all that comes until the server closes.
  std::string answer_to(std::string bytes) {
    std::unique_ptr<RawConnection> client = connect();
    loop_.run(client->send(std::move(bytes)));
    return undated(loop_.run(client->rest()));
  }
  void wait_for_exchanges(std::size_t count) {
    loop_.run_until([this, count] { return recorder_.all.size() >= count; });
  }
  void wait_for_no_connection() {
    loop_.run_until([this] { return server_->connections() == 0; });
  }

  TestLoop loop_;
  Recorder recorder_;
  std::unique_ptr<FunctionHandler> handler_;
  std::unique_ptr<HttpServer> server_;
};

const std::string kClose = "Connection: close\r\n\r\n";
const std::string kHost = " HTTP/1.1\r\nHost: a\r\n";

TEST_F(HttpServerTest, AnswersWithLengthAndCloses) {
  serve_echo();
  EXPECT_EQ(answer_to("GET /x" + kHost + kClose),
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /x ");
  ASSERT_EQ(recorder_.all.size(), 1u);
  EXPECT_EQ(recorder_.all[0].status, 200);
  EXPECT_EQ(recorder_.all[0].sent, 7u);
  EXPECT_TRUE(recorder_.all[0].complete);
}

TEST_F(HttpServerTest, AddsDateOnlyIfAbsent) {
  serve([](http::Request& request) {
    http::Response response;
    if (request.target.str() == "/own") response.headers.add("Date", "own");
    return ready_answer(std::move(response));
  });
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /own" + kHost + "\r\nGET /" + kHost + kClose));
  const std::string own = loop_.run(client->until("\r\n\r\n"));
  EXPECT_THAT(own, HasSubstr("Date: own\r\n"));
  const std::string added = loop_.run(client->rest());
  EXPECT_THAT(added, testing::ContainsRegex("Date: [A-Z][a-z][a-z], [0-9][0-9] [A-Z][a-z][a-z] "
                                            "20[0-9][0-9] [0-9:]* GMT\r\n"));
}

TEST_F(HttpServerTest, ServesPipelinedRequestsInOrder) {
  serve([this](http::Request& request) -> Task<http::Response> {
    // The first takes longer than the second.
    return [](Loop& loop, http::Request& asked) -> Task<http::Response> {
      if (asked.target.str() == "/1") co_await loop.sleep(milliseconds(20));
      http::Response response = co_await echo(asked);
      co_return response;
    }(loop_.get(), request);
  });
  const std::string answers = answer_to("GET /1" + kHost + "\r\nPOST /2" + kHost +
                                        "Content-Length: 3\r\n\r\nabcGET /3" + kHost + kClose);
  EXPECT_EQ(answers,
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nGET /1 "
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nPOST /2 abc"
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /3 ");
}

TEST_F(HttpServerTest, ReadsAHeadThatComesByteByByte) {
  serve_echo();
  std::unique_ptr<RawConnection> client = connect();
  const std::string request = "POST /x" + kHost + "Content-Length: 3\r\n" + kClose + "abc";
  for (const char c : request) {
    loop_.run(client->send(std::string(1, c)));
    loop_.run(loop_.get().sleep(milliseconds(0)));
  }
  EXPECT_THAT(loop_.run(client->rest()), EndsWith("\r\n\r\nPOST /x abc"));
}

TEST_F(HttpServerTest, ReadsAHeadLongerThanABlock) {
  serve_echo();
  const std::string field = "A: " + std::string(50'000, 'x') + "\r\n";
  EXPECT_THAT(answer_to("GET /" + kHost + field + kClose), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, Http10IsClosedUnlessItAsksToStay) {
  serve_echo();
  EXPECT_EQ(answer_to("GET / HTTP/1.0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nGET / ");
  std::unique_ptr<RawConnection> client = connect();
  const std::string request = "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
  for (int i = 0; i < 2; ++i) {
    loop_.run(client->send(request));
    EXPECT_THAT(loop_.run(client->until("GET / ")), HasSubstr("Connection: keep-alive\r\n"));
  }
}

// Bodies of requests.

TEST_F(HttpServerTest, GivesTheHandlerALongBodyAsItComes) {
  serve_echo();
  const std::string body(300'000, 'b');
  EXPECT_THAT(answer_to("POST /" + kHost + "Content-Length: 300000\r\n" + kClose + body),
              EndsWith("\r\n\r\nPOST / " + body));
  EXPECT_EQ(recorder_.all.at(0).received, 300'000u);
}

TEST_F(HttpServerTest, GivesTheHandlerAChunkedBody) {
  serve_echo();
  const std::string head = "POST /" + kHost + "Transfer-Encoding: chunked\r\n";
  EXPECT_THAT(answer_to(head + kClose + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
              EndsWith("\r\n\r\nPOST / abcde"));
}

TEST_F(HttpServerTest, ContinuesWhenTheHandlerFirstReads) {
  serve_echo();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("POST /" + kHost + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(loop_.run(client->until("\r\n\r\n")), "HTTP/1.1 100 Continue\r\n\r\n");
  loop_.run(client->send("abc"));
  EXPECT_THAT(loop_.run(client->until("POST / abc")), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(HttpServerTest, DoesNotContinueIfTheHandlerDoesNotRead) {
  serve([](http::Request&) { return text_answer(403, "no"); });
  EXPECT_EQ(answer_to("POST /" + kHost + "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"),
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
}

TEST_F(HttpServerTest, DrainsAShortBodyThatNobodyRead) {  // CVE-2025-4366
  serve([](http::Request&) { return text_answer(403, "no"); });
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("POST /" + kHost + "Content-Length: 30\r\n\r\nGET /smuggled"));
  EXPECT_THAT(loop_.run(client->until("\r\n\r\nno")), Not(HasSubstr("close")));
  loop_.run(client->send(" HTTP/1.1\r\nHost:GET /" + kHost + kClose));
  EXPECT_THAT(loop_.run(client->rest()), StartsWith("HTTP/1.1 403"));
  EXPECT_EQ(recorder_.all.size(), 2u);
}

TEST_F(HttpServerTest, ClosesInsteadOfDrainingALongBody) {
  serve([](http::Request&) { return text_answer(403, "no"); });
  EXPECT_EQ(answer_to("POST /" + kHost + "Content-Length: 3000000\r\n\r\nabc"),
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
}

TEST_F(HttpServerTest, StopsDrainingAnEndlessChunkedBody) {
  serve([](http::Request&) { return text_answer(403, "no"); }, {.undrained_body_limit = 1000});
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("POST /" + kHost + "Transfer-Encoding: chunked\r\n\r\n"));
  loop_.run(client->until("\r\n\r\nno"));
  loop_.run(client->send("800\r\n" + std::string(2048, 'x') + "\r\n"));
  EXPECT_EQ(loop_.run(client->rest()), "");
}

TEST_F(HttpServerTest, BadChunkIsRefusedWithoutAskingTheHandler) {
  bool asked = false;
  serve([&asked](http::Request& request) {
    asked = true;
    return echo(request);
  });
  const std::string head = "POST /" + kHost + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(answer_to(head + "0x3\r\nabc\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 400 Bad Request"));
  EXPECT_FALSE(asked);
}

TEST_F(HttpServerTest, BadChunkThatTheHandlerMeetsIsA400) {
  std::string handler_saw;
  serve([&handler_saw](http::Request& request) {
    return [](http::Request& asked, std::string& saw) -> Task<http::Response> {
      Result<std::string> body = co_await http::read_all(asked.body, 1000);
      saw = body ? "all" : std::string(to_string(body.error().code));
      http::Response response;
      co_return response;
    }(request, handler_saw);
  });
  const std::string head = "POST /" + kHost + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(answer_to(head + "3\r\nabc\r\nzz\r\n"), StartsWith("HTTP/1.1 400 Bad Request"));
  EXPECT_EQ(handler_saw, to_string(ErrorCode::kCorrupt));
}

TEST_F(HttpServerTest, BodyThatIsCutShortIsAnErrorForTheHandler) {
  serve_echo();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("POST /" + kHost + "Content-Length: 30\r\n\r\nabc"));
  client->stream().finish();
  EXPECT_THAT(loop_.run(client->rest()), StartsWith("HTTP/1.1 400 Bad Request"));
}

TEST_F(HttpServerTest, SlowBodyIsA408) {
  serve_echo({.body_idle_timeout = milliseconds(20)});
  EXPECT_THAT(answer_to("POST /" + kHost + "Content-Length: 30\r\n\r\nabc"),
              StartsWith("HTTP/1.1 408 Request Timeout"));
}

// Refusals and time-outs.

TEST_F(HttpServerTest, LengthWithTransferEncodingIsAnsweredOnceAndClosed) {
  serve_echo();
  const std::string answer = answer_to("POST /" + kHost +
                                       "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
                                       "0\r\n\r\nGET /smuggled" +
                                       kHost + "\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos);
  ASSERT_EQ(recorder_.all.size(), 1u);
  EXPECT_EQ(recorder_.all[0].status, 400);
}

TEST_F(HttpServerTest, RefusalIsReadEvenIfTheClientKeepsSending) {
  serve_echo();
  const std::string answer = answer_to("NONSENSE\r\n" + std::string(200'000, 'x'));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("<reset>")));
}

TEST_F(HttpServerTest, TooLongHeadIs431) {
  LimitCounts counts;
  serve_echo({.limit_counts = &counts});
  EXPECT_THAT(answer_to("GET /" + kHost + "A: " + std::string(70'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(counts.count(Limit::kHeadBytes), 1u);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "A: x\r\n";
  EXPECT_THAT(answer_to("GET /" + kHost + many + "\r\n"), StartsWith("HTTP/1.1 431 "));
  EXPECT_EQ(counts.count(Limit::kHeaderFields), 1u);
  server_.reset();
}

TEST_F(HttpServerTest, AnUpstreamsOwn413IsNoLimitOfOurs) {
  LimitCounts counts;
  serve([](http::Request& /*request*/) { return text_answer(413, "its limit"); },
        {.limit_counts = &counts});
  EXPECT_THAT(answer_to("GET /" + kHost + kClose), StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(counts.count(Limit::kBodyBytes), 0u);
  server_.reset();
}

TEST_F(HttpServerTest, SlowHeadIsA408) {  // slowloris
  serve_echo({.head_timeout = milliseconds(20)});
  EXPECT_THAT(answer_to("GET / HTT"), StartsWith("HTTP/1.1 408 Request Timeout"));
  ASSERT_EQ(recorder_.all.size(), 1u);
  EXPECT_EQ(recorder_.all[0].status, 408);
}

TEST_F(HttpServerTest, HeadThatIsCutShortIsA400ThatIsRecorded) {
  serve_echo();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /x" + kHost));
  client->stream().finish();
  EXPECT_THAT(loop_.run(client->rest()), StartsWith("HTTP/1.1 400 Bad Request"));
  ASSERT_EQ(recorder_.all.size(), 1u);
  EXPECT_EQ(recorder_.all[0].method, "GET");
  EXPECT_EQ(recorder_.all[0].status, 400);
}

TEST_F(HttpServerTest, HeadThatIsCutByAResetIsRecorded) {
  serve_echo();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /x" + kHost));
  loop_.run_until([this] { return server_->connections() == 1; });
  client->stream().abort();
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
}

TEST_F(HttpServerTest, EmptyLineBeforeTheEndIsNoRequest) {
  serve_echo();
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("POST /" + kHost + "Content-Length: 1\r\n\r\na\r\n"));
  client->stream().finish();
  EXPECT_THAT(loop_.run(client->rest()), EndsWith("POST / a"));
  wait_for_no_connection();
  EXPECT_EQ(recorder_.all.size(), 1u);
}

TEST_F(HttpServerTest, DrippingDoesNotExtendTheHeadsTime) {
  serve_echo({.head_timeout = milliseconds(50)});
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost));
  bool more = true;
  while (more) {
    more = loop_.run(client->send("A: b\r\n"));
    loop_.run(loop_.get().sleep(milliseconds(5)));
    more = more && recorder_.all.empty();
  }
  EXPECT_EQ(recorder_.all.at(0).status, 408);
}

TEST_F(HttpServerTest, IdleConnectionIsClosedWithoutAWord) {
  serve_echo({.keep_alive_timeout = milliseconds(20)});
  EXPECT_EQ(answer_to(""), "");
  // On a busy machine it may idle for too long before it asks.
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) answer = answer_to("GET /" + kHost + "\r\n");
  EXPECT_EQ(answer, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nGET / ");
  wait_for_no_connection();
}

TEST_F(HttpServerTest, ClosesAfterTheLastRequestOfAConnection) {
  serve_echo({.requests_per_connection = 2});
  const std::string answers =
      answer_to("GET /1" + kHost + "\r\nGET /2" + kHost + "\r\nGET /3" + kHost + "\r\n");
  EXPECT_THAT(answers, EndsWith("Connection: close\r\n\r\nGET /2 "));
}

// Bodies of answers.

TEST_F(HttpServerTest, HeadGetsTheLengthWithoutTheBody) {
  serve_echo();
  EXPECT_EQ(answer_to("HEAD /x" + kHost + kClose),
            "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\n");
}

TEST_F(HttpServerTest, NoContentHasNeitherBodyNorLength) {
  serve([](http::Request&) { return text_answer(204, "nothing"); });
  EXPECT_EQ(answer_to("GET /" + kHost + kClose),
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

class StreamedAnswer : public HttpServerTest {
 protected:
  void serve_stream(std::vector<std::string> pieces, bool waits, bool cut,
                    std::optional<std::uint64_t> length = {}) {
    serve([=, this](http::Request&) {
      auto reader = std::make_unique<PieceReader>(loop_.get(), pieces, waits, cut);
      reader->trailers_.add("grpc-status", "0");
      http::Response response;
      response.body = http::Body(std::move(reader), length);
      return ready_answer(std::move(response));
    });
  }
};

TEST_F(StreamedAnswer, OfKnownLengthSaysIt) {
  serve_stream({"hello ", "world"}, true, false, 11);
  EXPECT_EQ(answer_to("GET /" + kHost + kClose),
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello world");
  EXPECT_EQ(recorder_.all.at(0).sent, 11u);
}

TEST_F(StreamedAnswer, OfUnknownLengthIsChunkedWithTrailers) {
  serve_stream({"hello ", "world"}, false, false);
  EXPECT_EQ(answer_to("GET /" + kHost + kClose),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            "6\r\nhello \r\n5\r\nworld\r\n0\r\ngrpc-status: 0\r\n\r\n");
}

TEST_F(StreamedAnswer, ToHttp10EndsWithTheConnection) {
  serve_stream({"hello ", "world"}, true, false);
  EXPECT_EQ(answer_to("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello world");
}

TEST_F(StreamedAnswer, LargePiecesArriveWhole) {
  const std::string piece(1'000'000, 'x');
  serve_stream({piece, piece}, false, false, 2'000'000);
  EXPECT_THAT(answer_to("GET /" + kHost + kClose), EndsWith("\r\n\r\n" + piece + piece));
}

TEST_F(StreamedAnswer, PieceIsSentBeforeTheNextIsWaitedFor) {
  serve([this](http::Request&) {
    auto reader = std::make_unique<PieceReader>(
        loop_.get(), std::vector<std::string>(1000, "data: tick\n\n"), true);
    http::Response response;
    response.body = http::Body(std::move(reader));
    return ready_answer(std::move(response));
  });
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  EXPECT_THAT(loop_.run(client->until("tick\n\n\r\n")), EndsWith("c\r\ndata: tick\n\n\r\n"));
  client->close();
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
}

TEST_F(StreamedAnswer, ThatIsCutShortDoesNotLookWhole) {
  serve_stream({"hello ", "world"}, true, true);
  EXPECT_THAT(answer_to("GET /" + kHost + "\r\n"), Not(HasSubstr("\r\n0\r\n")));
  // Closed in order, this one would look whole.
  EXPECT_THAT(answer_to("GET / HTTP/1.0\r\n\r\n"), EndsWith("<reset>"));
  ASSERT_EQ(recorder_.all.size(), 2u);
  EXPECT_FALSE(recorder_.all[0].complete);
}

TEST_F(StreamedAnswer, ThatIsLongerThanItSaidIsCut) {
  serve_stream({"hello ", "world"}, true, false, 8);
  EXPECT_THAT(answer_to("GET /" + kHost + "\r\n"), Not(HasSubstr("world")));
  EXPECT_FALSE(recorder_.all.at(0).complete);
}

TEST_F(StreamedAnswer, ThatNobodyReadsIsGivenUp) {
  const std::string piece(1'000'000, 'x');
  const std::vector<std::string> pieces(100, piece);
  serve(
      [=, this](http::Request&) {
        http::Response response;
        response.body = http::Body(std::make_unique<PieceReader>(loop_.get(), pieces, false));
        return ready_answer(std::move(response));
      },
      {.write_idle_timeout = milliseconds(20)});
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
  wait_for_no_connection();
}

// Handlers.

TEST_F(HttpServerTest, ExceptionIsA500ThatTellsNothing) {
  serve([](http::Request&) -> Task<http::Response> { throw std::runtime_error("secret"); });
  const std::string answer = answer_to("GET /" + kHost + "\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("secret")));
}

/// Waits until its client has gone.
Task<http::Response> wait_for_cancellation(Loop& loop, http::Request& request, bool& begun) {
  begun = true;
  while (!request.cancellation->cancelled()) co_await loop.sleep(milliseconds(1));
  http::Response response;
  co_return response;
}

TEST_F(HttpServerTest, ClientThatGoesCancelsItsRequest) {
  bool begun = false;
  serve([this, &begun](
            http::Request& request) { return wait_for_cancellation(loop_.get(), request, begun); },
        {.half_closed_timeout = milliseconds(20)});
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  loop_.run_until([&begun] { return begun; });
  client->close();
  wait_for_exchanges(1);
  EXPECT_EQ(recorder_.all[0].status, 499);
  wait_for_no_connection();
}

TEST_F(HttpServerTest, ClientThatIsResetCancelsItsRequestAtOnce) {
  bool begun = false;
  serve([this, &begun](
            http::Request& request) { return wait_for_cancellation(loop_.get(), request, begun); },
        {.half_closed_timeout = std::chrono::hours(1)});
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  loop_.run_until([&begun] { return begun; });
  client->stream().abort();
  wait_for_exchanges(1);
}

TEST_F(HttpServerTest, ClientThatFinishesWhileItsRequestIsHandledIsAnswered) {
  bool begun = false;
  serve([this, &begun](http::Request& request) {
    return [](Loop& loop, http::Request& asked, bool& noted) -> Task<http::Response> {
      noted = true;
      co_await loop.sleep(milliseconds(50));
      http::Response response;
      response.body = http::Body(std::string(asked.cancellation->cancelled() ? "gone" : "there"));
      co_return response;
    }(loop_.get(), request, begun);
  });
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  loop_.run_until([&begun] { return begun; });
  client->stream().finish();
  EXPECT_THAT(loop_.run(client->rest()), EndsWith("there"));
}

TEST_F(HttpServerTest, WhoReadsOnAfterItHasFinishedGetsTheWholeAnswer) {
  serve(
      [this](http::Request&) {
        auto reader = std::make_unique<PieceReader>(
            loop_.get(), std::vector<std::string>(100, "data: tick\n\n"), true);
        http::Response response;
        response.body = http::Body(std::move(reader));
        return ready_answer(std::move(response));
      },
      {.half_closed_timeout = milliseconds(20)});
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  (void)loop_.run(client->until("tick\n\n\r\n"));
  client->stream().finish();
  EXPECT_THAT(loop_.run(client->rest()), EndsWith("\r\n0\r\n\r\n"));
}

TEST_F(HttpServerTest, ClientThatFinishedWithItsRequestIsAnswered) {
  serve([this](http::Request& request) {
    return [](Loop& loop, http::Request& asked) -> Task<http::Response> {
      co_await loop.sleep(milliseconds(10));
      http::Response response;
      response.body = http::Body(std::string(asked.cancellation->cancelled() ? "gone" : "there"));
      co_return response;
    }(loop_.get(), request);
  });
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  client->stream().finish();
  EXPECT_THAT(loop_.run(client->rest()), EndsWith("there"));
}

/// Says one word, then is silent until it is destroyed.
class SilentReader final : public http::BodyReader {
 public:
  SilentReader(Loop& loop, bool& gone) : loop_(loop), gone_(gone) {}
  ~SilentReader() override { gone_ = true; }
  Task<Result<std::string_view>> read() override {
    if (!std::exchange(spoken_, true)) co_return std::string_view("word");
    for (;;) co_await loop_.sleep(milliseconds(60'000));
  }
  bool ready() const override { return !spoken_; }

 private:
  Loop& loop_;
  bool& gone_;
  bool spoken_ = false;
};

TEST_F(HttpServerTest, SilentStreamEndsWhenItIsCancelled) {
  bool gone = false;
  http::Request* asked = nullptr;
  serve([&](http::Request& request) {
    asked = &request;
    http::Response response;
    response.body = http::Body(std::make_unique<SilentReader>(loop_.get(), gone));
    return ready_answer(std::move(response));
  });
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  loop_.run(client->until("word\r\n"));
  asked->cancellation->cancel();
  EXPECT_EQ(loop_.run(client->rest()), "<reset>");
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
  wait_for_no_connection();
  EXPECT_TRUE(gone);
}

class ThrowingReader final : public http::BodyReader {
 public:
  Task<Result<std::string_view>> read() override { throw std::runtime_error("secret"); }
};

TEST_F(HttpServerTest, BodyThatThrowsEndsItsConnectionAndIsRecorded) {
  serve([](http::Request&) {
    http::Response response;
    response.body = http::Body(std::make_unique<ThrowingReader>());
    return ready_answer(std::move(response));
  });
  EXPECT_THAT(answer_to("GET /" + kHost + "\r\n"), EndsWith("<reset>"));
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
  EXPECT_THAT(recorder_.all[0].failure, HasSubstr("threw"));
  wait_for_no_connection();
}

class ThrowingObserver final : public ExchangeObserver {
 public:
  void ended(const Exchange& /*exchange*/) override { throw std::runtime_error("secret"); }
};

TEST_F(HttpServerTest, ExceptionInTheConnectionItselfEndsIt) {
  FunctionHandler handler([](http::Request& request) { return echo(request); });
  ThrowingObserver observer;
  const auto server = HttpServer::open(loop_.get(), {.endpoint = {.host = "127.0.0.1", .port = 0}},
                                       {}, handler, &observer)
                          .value();
  const std::uint16_t port = server->endpoint().port;
  std::unique_ptr<RawConnection> client = loop_.run(connect_raw(loop_.get(), port));
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  loop_.run(client->rest());
  loop_.run_until([&] { return server->connections() == 0; });
}

TEST_F(HttpServerTest, AnswerThatIsNoneIsA500) {
  serve([](http::Request&) { return text_answer(101, ""); });
  EXPECT_THAT(answer_to("GET /" + kHost + "\r\n"), StartsWith("HTTP/1.1 500 "));
}

// Upgrades.

class EchoStream final : public http::ByteStream {
 public:
  explicit EchoStream(Loop& loop) : loop_(loop) {}
  Task<Result<std::string_view>> read() override {
    while (written_.empty() && !finished_ && !aborted_) co_await loop_.sleep(milliseconds(1));
    if (aborted_) co_return fail(ErrorCode::kCancelled, "aborted");
    read_ = std::exchange(written_, {});
    co_return std::string_view(read_);
  }
  Task<Result<void>> write(std::string_view bytes) override {
    written_ += bytes;
    co_return Result<void>();
  }
  void finish() override { finished_ = true; }
  void abort() override { aborted_ = true; }

 private:
  Loop& loop_;
  std::string written_, read_;
  bool finished_ = false, aborted_ = false;
};

class Upgrade : public HttpServerTest {
 protected:
  void serve_upgrade(ServerOptions options = {}) {
    serve(
        [this](http::Request& request) {
          request_ = &request;
          http::Response response;
          response.status = 101;
          response.headers.add("Sec-WebSocket-Accept", "x");
          response.upgrade = std::make_unique<EchoStream>(loop_.get());
          return ready_answer(std::move(response));
        },
        options);
  }
  std::unique_ptr<RawConnection> upgraded(std::string early = "") {
    std::unique_ptr<RawConnection> client = connect();
    loop_.run(client->send("GET /" + kHost + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" +
                           early));
    EXPECT_EQ(loop_.run(client->until("\r\n\r\n")),
              "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n"
              "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    return client;
  }
  http::Request* request_ = nullptr;
};

TEST_F(Upgrade, RelaysBothWaysAndEndsInOrder) {
  serve_upgrade();
  std::unique_ptr<RawConnection> client = upgraded("early ");
  EXPECT_EQ(loop_.run(client->until("early ")), "early ");
  loop_.run(client->send("ping"));
  EXPECT_EQ(loop_.run(client->until("ping")), "ping");
  loop_.run(client->send("last"));
  client->stream().finish();
  EXPECT_EQ(loop_.run(client->rest()), "last");
  wait_for_exchanges(1);
  EXPECT_EQ(recorder_.all[0].status, 101);
  EXPECT_EQ(recorder_.all[0].sent, 14u);
  EXPECT_TRUE(recorder_.all[0].complete);
}

TEST_F(Upgrade, EndsAtOnceWhenItsSessionIsCancelled) {
  serve_upgrade();
  std::unique_ptr<RawConnection> client = upgraded();
  request_->cancellation->cancel();
  EXPECT_EQ(loop_.run(client->rest()), "<reset>");
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
}

TEST_F(Upgrade, EndsWhenTheClientIsReset) {
  serve_upgrade();
  std::unique_ptr<RawConnection> client = upgraded();
  client->stream().abort();
  wait_for_exchanges(1);
  EXPECT_FALSE(recorder_.all[0].complete);
  wait_for_no_connection();
}

TEST_F(Upgrade, EndsWhenIdle) {
  serve_upgrade({.tunnel_idle_timeout = milliseconds(20)});
  std::unique_ptr<RawConnection> client = upgraded();
  EXPECT_EQ(loop_.run(client->rest()), "<reset>");
}

class Connect : public Upgrade {
 protected:
  static constexpr std::string_view kHead = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
  static ServerOptions serving() {
    ServerOptions options;
    options.limits.connect = true;
    return options;
  }
};

TEST_F(Connect, IsRefusedUnlessItIsServed) {
  serve_upgrade();
  EXPECT_THAT(answer_to(std::string(kHead)), StartsWith("HTTP/1.1 501 "));
  EXPECT_EQ(request_, nullptr);
}

TEST_F(Connect, OpensATunnelWithA200) {
  serve_upgrade(serving());
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send(std::string(kHead) + "early "));
  EXPECT_EQ(loop_.run(client->until("\r\n\r\n")),
            "HTTP/1.1 200 OK\r\nSec-WebSocket-Accept: x\r\n\r\n");
  EXPECT_EQ(loop_.run(client->until("early ")), "early ");
  client->stream().finish();
  EXPECT_EQ(loop_.run(client->rest()), "");
  wait_for_exchanges(1);
  EXPECT_EQ(recorder_.all[0].status, 200);
}

TEST_F(Connect, Cve202564763WhatComesBeforeThe2xxIsHeldAndGoesNowhereWithoutIt) {
  int asked = 0;
  serve(
      [&](http::Request&) {
        ++asked;
        return text_answer(403, "no");
      },
      serving());
  const std::string answer = answer_to(std::string(kHead) + "GET /smuggled" + kHost + "\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(answer, EndsWith("Connection: close\r\n\r\nno"));
  EXPECT_EQ(asked, 1);
}

TEST_F(Connect, AnAnswerThatWouldSeemToOpenATunnelIsA500) {
  serve([](http::Request&) { return text_answer(200, "hello"); }, serving());
  EXPECT_THAT(answer_to(std::string(kHead)), StartsWith("HTTP/1.1 500 "));
}

/// Throws where it is told to.
class ThrowingStream final : public http::ByteStream {
 public:
  enum class Where { kRead, kWrite, kFinish };
  ThrowingStream(Loop& loop, Where where) : where_(where), echo_(loop) {}
  Task<Result<std::string_view>> read() override {
    if (where_ == Where::kRead) throw std::runtime_error("secret");
    return echo_.read();
  }
  Task<Result<void>> write(std::string_view bytes) override {
    if (where_ == Where::kWrite) throw std::runtime_error("secret");
    return echo_.write(bytes);
  }
  void finish() override { throw std::runtime_error("secret"); }
  void abort() override { echo_.abort(); }

 private:
  Where where_;
  EchoStream echo_;
};

TEST_F(Upgrade, WhoseStreamThrowsEndsItsConnectionAndIsRecorded) {
  using Where = ThrowingStream::Where;
  for (const Where where : {Where::kRead, Where::kWrite, Where::kFinish}) {
    recorder_.all.clear();
    serve([=, this](http::Request&) {
      http::Response response;
      response.status = 101;
      response.upgrade = std::make_unique<ThrowingStream>(loop_.get(), where);
      return ready_answer(std::move(response));
    });
    std::unique_ptr<RawConnection> client = connect();
    loop_.run(
        client->send("GET /" + kHost + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly"));
    client->stream().finish();
    EXPECT_THAT(loop_.run(client->rest()), EndsWith("<reset>"));
    wait_for_exchanges(1);
    EXPECT_FALSE(recorder_.all[0].complete);
    EXPECT_THAT(recorder_.all[0].failure, HasSubstr("threw"));
    wait_for_no_connection();
  }
}

TEST_F(Upgrade, ThatNobodyAskedForIsA500) {
  serve_upgrade();
  EXPECT_THAT(answer_to("GET /" + kHost + "\r\n"), StartsWith("HTTP/1.1 500 "));
}

// Draining.

TEST_F(HttpServerTest, DrainClosesIdleConnectionsAndRefusesNewOnes) {
  serve_echo();
  std::unique_ptr<RawConnection> idle = connect();
  loop_.run(idle->send("GET /" + kHost + "\r\n"));
  loop_.run(idle->until("GET / "));
  loop_.run(server_->drain(milliseconds(60'000)));
  EXPECT_EQ(server_->connections(), 0u);
  EXPECT_EQ(loop_.run(idle->rest()), "");
  const Result<std::unique_ptr<Stream>> refused =
      loop_.run(net::connect(loop_.get(), "127.0.0.1", server_->endpoint().port, {}));
  EXPECT_FALSE(refused.has_value());
}

TEST_F(HttpServerTest, DrainLetsWhatIsUnderWayFinish) {
  bool begun = false;
  bool go_on = false;
  serve([this, &begun, &go_on](http::Request&) {
    begun = true;
    return [](Loop& loop, bool& go) -> Task<http::Response> {
      while (!go) co_await loop.sleep(milliseconds(1));
      http::Response response;
      co_return response;
    }(loop_.get(), go_on);
  });
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  loop_.run_until([&begun] { return begun; });
  bool drained = false;
  spawn([](HttpServer& server, bool& done) -> Task<void> {
    co_await server.drain(milliseconds(60'000));
    done = true;
  }(*server_, drained));
  EXPECT_FALSE(drained);
  go_on = true;
  EXPECT_THAT(loop_.run(client->rest()), HasSubstr("Connection: close\r\n"));
  loop_.run_until([&drained] { return drained; });
}

TEST_F(HttpServerTest, DrainCutsWhatDoesNotEnd) {
  serve([this](http::Request&) {
    return [](Loop& loop) -> Task<http::Response> {
      for (;;) co_await loop.sleep(milliseconds(60'000));
    }(loop_.get());
  });
  std::unique_ptr<RawConnection> client = connect();
  loop_.run(client->send("GET /" + kHost + "\r\n"));
  loop_.run_until([this] { return server_->connections() == 1; });
  loop_.run(server_->drain(milliseconds(10)));
  EXPECT_EQ(server_->connections(), 0u);
}

}  // namespace
}  // namespace gatehouse::net
