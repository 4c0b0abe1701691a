#include "gateway/filters/grpc_web.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

using namespace std::string_literals;
using Pieces = std::deque<Result<std::string>>;

http::Request call(std::string_view type, http::Body body = {}) {
  http::Request request;
  request.method = "POST";
  request.headers.add("Content-Type", type);
  request.headers.add("X-Grpc-Web", "1");
  request.body = std::move(body);
  return request;
}

GrpcWebCall started(http::Request& request) {
  return GrpcWebCall::start(request).value().value();
}

http::Body stream_of(Pieces pieces) {
  return http::Body(std::make_unique<FakeBody>(std::move(pieces)), 5);
}

/// An answer of an upstream; FakeBody's trailer is "X-Trailer: t".
http::Response answer(Pieces pieces) {
  http::Response response;
  response.headers.add("Content-Type", "application/grpc");
  response.headers.add("Content-Length", "5");
  response.body = stream_of(std::move(pieces));
  return response;
}

std::string all_of(http::Body& body) {
  const auto all = run_now(http::read_all(body, 10'000)).value();
  return all ? *all : "error: " + std::string(to_string(all.error().code));
}

const std::string kTrailers = "\x80\0\0\0\x0e"s + "x-trailer: t\r\n";

TEST(GrpcWeb, OtherRequestsAreNotTouched) {
  for (const std::string_view type :
       {"application/grpc", "application/grpc+proto", "application/grpc-webx", "text/plain",
        "application/grpc-web-textual", "application/grpc-web/x", ""}) {
    http::Request request = call(type);
    EXPECT_FALSE(GrpcWebCall::start(request).value()) << type;
    EXPECT_EQ(request.headers.get("Content-Type"), type);
    EXPECT_TRUE(request.headers.has("X-Grpc-Web"));
  }
  http::Request get = call("application/grpc-web");
  get.method = "GET";
  EXPECT_FALSE(GrpcWebCall::start(get).value());
  http::Request two = call("application/grpc-web");
  two.headers.add("Content-Type", "text/plain");
  EXPECT_FALSE(GrpcWebCall::start(two).value());
}

TEST(GrpcWeb, BinaryCallsBecomeGrpc) {
  http::Request request = call("application/grpc-web+proto", stream_of({"ab", "c"}));
  (void)started(request);
  EXPECT_EQ(request.headers.only("Content-Type"), "application/grpc+proto");
  EXPECT_EQ(request.headers.only("TE"), "trailers");
  EXPECT_FALSE(request.headers.has("X-Grpc-Web"));
  EXPECT_EQ(request.body.length, 5U);
  EXPECT_EQ(all_of(request.body), "abc");
}

TEST(GrpcWeb, TextCallsComeOutOfBase64) {
  const std::string text = base64_encode("\0\0\0\0\x01x"s) + base64_encode("y");
  http::Request streamed = call("application/grpc-web-text; charset=utf-8",
                                stream_of({text.substr(0, 3), text.substr(3, 6), text.substr(9)}));
  (void)started(streamed);
  EXPECT_EQ(streamed.headers.get("Content-Type"), "application/grpc");
  EXPECT_FALSE(streamed.body.length);
  EXPECT_EQ(all_of(streamed.body), "\0\0\0\0\x01xy"s);
  http::Request whole = call("application/grpc-web-text", http::Body(text));
  (void)started(whole);
  EXPECT_EQ(whole.body.bytes, "\0\0\0\0\x01xy"s);
}

TEST(GrpcWeb, BodiesThatAreNotBase64AreRefused) {
  http::Request whole = call("application/grpc-web-text", http::Body("not base64!"));
  EXPECT_EQ(GrpcWebCall::start(whole).error().code, ErrorCode::kCorrupt);
  for (const Pieces& pieces : {Pieces{"QUJD", "!!!!"}, Pieces{"QUJDQ"}, Pieces{"="}}) {
    http::Request streamed = call("application/grpc-web-text", stream_of(pieces));
    (void)started(streamed);
    EXPECT_EQ(all_of(streamed.body), "error: corrupt");
  }
}

TEST(GrpcWeb, TrailersBecomeTheLastFrame) {
  http::Request request = call("application/grpc-web+proto");
  const GrpcWebCall web = started(request);
  http::Response response = answer({"m1", "m2"});
  web.finish(response);
  EXPECT_EQ(response.headers.only("Content-Type"), "application/grpc-web+proto");
  EXPECT_FALSE(response.headers.has("Content-Length"));
  EXPECT_FALSE(response.body.length);
  EXPECT_EQ(run_now(response.body.stream->read()).value().value(), "m1");
  EXPECT_EQ(run_now(response.body.stream->read()).value().value(), "m2");
  EXPECT_EQ(run_now(response.body.stream->read()).value().value(), kTrailers);
  EXPECT_EQ(run_now(response.body.stream->read()).value().value(), "");
  EXPECT_EQ(run_now(response.body.stream->read()).value().value(), "");
  EXPECT_TRUE(response.body.stream->trailers().empty());
}

TEST(GrpcWeb, TextAnswersAreEncodedPieceByPiece) {
  http::Request request = call("application/grpc-web-text");
  const GrpcWebCall web = started(request);
  http::Response response = answer({"m1", "m2"});
  web.finish(response);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/grpc-web-text");
  EXPECT_EQ(all_of(response.body),
            base64_encode("m1") + base64_encode("m2") + base64_encode(kTrailers));
}

TEST(GrpcWeb, AcceptDecidesTheAnswersForm) {
  http::Request request = call("application/grpc-web+proto");
  request.headers.add("Accept", "application/grpc-web-text+proto");
  http::Response response = answer({});
  started(request).finish(response);
  EXPECT_EQ(response.headers.get("Content-Type"), "application/grpc-web-text+proto");
}

TEST(GrpcWeb, AnswersThatAreNotGrpcStayWhatTheyAre) {
  http::Request request = call("application/grpc-web-text");
  const GrpcWebCall web = started(request);
  http::Response denial = http::make_response(401, "application/json", "{}");
  web.finish(denial);
  EXPECT_EQ(denial.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(denial.body.bytes, "{}");
}

TEST(GrpcWeb, ATrailersOnlyAnswerKeepsItsStatusInTheHead) {
  http::Request request = call("application/grpc-web");
  const GrpcWebCall web = started(request);
  http::Response response;
  response.headers.add("Content-Type", "application/grpc");
  response.headers.add("grpc-status", "5");
  web.finish(response);
  EXPECT_EQ(response.headers.get("grpc-status"), "5");
  EXPECT_TRUE(response.body.empty());
}

TEST(GrpcWeb, ABrokenAnswerStaysBroken) {
  http::Request request = call("application/grpc-web");
  const GrpcWebCall web = started(request);
  http::Response response = answer({"m1", fail(ErrorCode::kUnavailable, "gone")});
  web.finish(response);
  EXPECT_EQ(all_of(response.body), "error: unavailable");
}

TEST(GrpcWeb, NoTrailerCanForgeAnother) {
  http::Headers trailers;
  trailers.add("Grpc-Message", "a\r\ngrpc-status: 0");
  EXPECT_EQ(grpc_web_trailers(trailers), "\x80\0\0\0\x21"s + "grpc-message: a__grpc-status: 0\r\n");
  trailers.clear();
  trailers.add("X", "M\xc3\xbc");
  EXPECT_EQ(grpc_web_trailers(trailers), "\x80\0\0\0\x08"s + "x: M\xc3\xbc\r\n");
  EXPECT_EQ(grpc_web_trailers({}), "");
}

}  // namespace
}  // namespace gatehouse::gateway
