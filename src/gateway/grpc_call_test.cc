#include "gateway/grpc_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

#include "gateway/authz/test_grpc.h"
#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

using testing::HasSubstr;

class GrpcCallTest : public testing::Test {
 protected:
  Result<std::string> call(GrpcCall call = {.path = "/a.B/C", .message = "question"}) {
    return run_now(call_grpc(server_, std::move(call))).value();
  }
  void answers(std::string bytes, http::Headers trailers) {
    server_.answer = [bytes, trailers](http::Request&) {
      return Result<http::Response>(grpc_answer(bytes, trailers));
    };
  }
  ErrorCode fails_with() {
    const Result<std::string> answer = call();
    return answer ? ErrorCode::kInternal : answer.error().code;
  }

  FakeUpstream server_;
};

TEST_F(GrpcCallTest, AsksAsTheProtocolSays) {
  std::string body;
  server_.answer = [&body](http::Request& request) {
    body = request.body.bytes;
    return Result<http::Response>(grpc_answer(grpc_frame("answer"), grpc_status("0")));
  };
  http::Headers metadata;
  metadata.add("x-key", "1");
  const Result<std::string> answer = call({.path = "/a.B/C",
                                           .message = "question",
                                           .metadata = metadata,
                                           .timeout = std::chrono::milliseconds(700)});
  EXPECT_EQ(answer, "answer");
  const FakeUpstream::Seen& seen = server_.seen.at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/a.B/C");
  EXPECT_EQ(seen.headers.get("te"), "trailers");
  EXPECT_EQ(seen.headers.get("content-type"), "application/grpc");
  EXPECT_EQ(seen.headers.get("grpc-timeout"), "700m");
  EXPECT_EQ(seen.headers.get("x-key"), "1");
  EXPECT_EQ(seen.timeouts.response, std::chrono::milliseconds(700));
  EXPECT_EQ(body, std::string("\0\0\0\0\x08question", 13));
}

TEST_F(GrpcCallTest, AnEmptyMessageIsOne) {
  answers(grpc_frame(""), grpc_status("0"));
  EXPECT_EQ(call(), "");
}

TEST_F(GrpcCallTest, ALongTimeoutFitsIntoEightDigits) {
  answers(grpc_frame(""), grpc_status("0"));
  call({.path = "/a.B/C", .message = "", .timeout = std::chrono::hours(30)});
  EXPECT_EQ(server_.seen.at(0).headers.get("grpc-timeout"), "108000S");
}

TEST_F(GrpcCallTest, AnotherStatusThanNoughtIsAnError) {
  answers(grpc_frame("x"), grpc_status("14"));
  EXPECT_EQ(fails_with(), ErrorCode::kUnavailable);
  answers(grpc_frame("x"), grpc_status("4"));
  EXPECT_EQ(fails_with(), ErrorCode::kTimeout);
  answers(grpc_frame("x"), grpc_status("8"));
  EXPECT_EQ(fails_with(), ErrorCode::kExhausted);
  answers(grpc_frame("x"), grpc_status("1"));
  EXPECT_EQ(fails_with(), ErrorCode::kUnavailable);
}

TEST_F(GrpcCallTest, AnswersOfTrailersOnlyTellWhy) {
  server_.answer = [](http::Request&) {
    http::Response response;
    response.headers.add("content-type", "application/grpc");
    response.headers.add("grpc-status", "12");
    response.headers.add("grpc-message", "no such%20method");
    return Result<http::Response>(std::move(response));
  };
  const Result<std::string> answer = call();
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("12: no such method"));
}

TEST_F(GrpcCallTest, StatusNoughtWithoutAMessageIsNoAnswer) {
  server_.answer = [](http::Request&) {
    http::Response response;
    response.headers.add("content-type", "application/grpc");
    response.headers.add("grpc-status", "0");
    return Result<http::Response>(std::move(response));
  };
  EXPECT_EQ(fails_with(), ErrorCode::kCorrupt);
}

TEST_F(GrpcCallTest, WithoutOneStatusThereIsNoAnswer) {
  answers(grpc_frame("x"), {});
  EXPECT_EQ(fails_with(), ErrorCode::kCorrupt);
  for (const char* status : {"", "-1", "0x", "0 0", "99999999999999999999"}) {
    answers(grpc_frame("x"), grpc_status(status));
    EXPECT_EQ(fails_with(), ErrorCode::kCorrupt) << status;
  }
  http::Headers two = grpc_status("0");
  two.add("grpc-status", "0");
  answers(grpc_frame("x"), two);
  EXPECT_EQ(fails_with(), ErrorCode::kCorrupt);
}

TEST_F(GrpcCallTest, WhatIsNotExactlyOnePlainMessageIsRefused) {
  const std::string frame = grpc_frame("x");
  std::string compressed = frame;
  compressed[0] = 1;
  for (const std::string& bytes : {std::string(), frame.substr(0, 4), frame.substr(0, 5),
                                   frame + frame, frame + "y", compressed,
                                   std::string("\0\xff\xff\xff\xff"
                                               "x",
                                               6)}) {
    answers(bytes, grpc_status("0"));
    EXPECT_EQ(fails_with(), ErrorCode::kCorrupt) << bytes.size();
  }
}

TEST_F(GrpcCallTest, AMessageOverTheLimitIsRefused) {
  answers(grpc_frame("12345"), grpc_status("0"));
  EXPECT_EQ(call({.path = "/a.B/C", .message = "", .answer_limit = 5}), "12345");
  const Result<std::string> refused = call({.path = "/a.B/C", .message = "", .answer_limit = 4});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
}

TEST_F(GrpcCallTest, WhatIsNoGrpcServerIsRefused) {
  for (const int status : {204, 404, 502}) {
    server_.answer = [status](http::Request&) {
      http::Response response = grpc_answer(grpc_frame("x"), grpc_status("0"));
      response.status = status;
      return Result<http::Response>(std::move(response));
    };
    EXPECT_EQ(fails_with(), ErrorCode::kUnavailable);
  }
  for (const char* type : {"text/html", "application/grpcx", "application/json"}) {
    server_.answer = [type](http::Request&) {
      http::Response response = grpc_answer(grpc_frame("x"), grpc_status("0"));
      response.headers.set("content-type", type);
      return Result<http::Response>(std::move(response));
    };
    EXPECT_EQ(fails_with(), ErrorCode::kCorrupt) << type;
  }
}

TEST_F(GrpcCallTest, AStreamThatBreaksIsAnError) {
  server_.answer = [](http::Request&) {
    http::Response response;
    response.headers.add("content-type", "application/grpc+proto");
    response.body = http::Body(std::make_unique<FakeBody>(
        std::deque<Result<std::string>>{fail(ErrorCode::kUnavailable, "reset")}));
    return Result<http::Response>(std::move(response));
  };
  EXPECT_EQ(fails_with(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace gatehouse::gateway
