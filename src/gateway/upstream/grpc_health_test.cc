#include "gateway/upstream/grpc_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace gatehouse::gateway::upstream {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

/// One piece, then trailers.
class Message final : public http::BodyReader {
 public:
  Message(std::string bytes, std::string_view status) : bytes_(std::move(bytes)) {
    if (!status.empty()) trailers_.add("grpc-status", status);
  }
  Task<Result<std::string_view>> read() override {
    current_ = std::exchange(bytes_, {});
    co_return std::string_view(current_);
  }
  const http::Headers& trailers() const override { return trailers_; }

 private:
  std::string bytes_, current_;
  http::Headers trailers_;
};

Result<void> read(http::Response response) {
  return run_now(read_grpc_health(response)).value();
}

http::Response answer(std::string bytes, std::string_view status = "0") {
  http::Response response;
  response.headers.add("Content-Type", "application/grpc");
  response.body = http::Body(std::make_unique<Message>(std::move(bytes), status));
  return response;
}

const std::string kServing = "\0\0\0\0\2\x08\1"s;

TEST(GrpcHealthTest, TheQuestionIsAsTheProtocolHasIt) {
  const http::Request request = grpc_health_question("kubeflow.Pipelines");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target.str(), "/grpc.health.v1.Health/Check");
  EXPECT_EQ(request.headers.get("content-type"), "application/grpc");
  EXPECT_EQ(request.headers.get("te"), "trailers");
  EXPECT_EQ(request.body.bytes, "\0\0\0\0\x14\x0a\x12kubeflow.Pipelines"s);
  EXPECT_EQ(grpc_health_question("").body.bytes, "\0\0\0\0\0"s);
}

TEST(GrpcHealthTest, OnlyServingIsWell) {
  EXPECT_TRUE(read(answer(kServing)));
  for (const char status : {'\0', '\2', '\3', '\7'}) {
    std::string bytes = kServing;
    bytes.back() = status;
    EXPECT_THAT(read(answer(bytes)).error().message, HasSubstr("not SERVING"));
  }
  EXPECT_THAT(read(answer("\0\0\0\0\0"s)).error().message, HasSubstr("not SERVING"));
}

TEST(GrpcHealthTest, TheStatusMustBeThereAndZero) {
  EXPECT_THAT(read(answer(kServing, "")).error().message, HasSubstr("no grpc-status"));
  EXPECT_THAT(read(answer(kServing, "14")).error().message, HasSubstr("grpc-status 14"));
  http::Response only_trailers;
  only_trailers.headers.add("Content-Type", "application/grpc");
  only_trailers.headers.add("grpc-status", "12");
  EXPECT_THAT(read(std::move(only_trailers)).error().message, HasSubstr("grpc-status 12"));
  http::Response not_found;
  not_found.status = 404;
  EXPECT_THAT(read(std::move(not_found)).error().message, HasSubstr("404"));
}

TEST(GrpcHealthTest, WhatIsNoMessageIsRefused) {
  for (const std::string& bytes :
       {""s, "\0\0\0\0"s, "\1\0\0\0\2\x08\1"s, "\0\0\0\0\3\x08\1"s, kServing + "x",
        "\0\0\0\0\2\x08\xff"s, "\0\xff\xff\xff\xff\x08\1"s, std::string(10'000, 'a')}) {
    EXPECT_FALSE(read(answer(bytes)));
  }
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
