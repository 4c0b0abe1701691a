#include "gateway/filters/body_limit.h"

#include <gtest/gtest.h>

#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

http::Request with(http::Body body) {
  http::Request request;
  request.body = std::move(body);
  return request;
}

http::Request stream_of(std::deque<Result<std::string>> pieces,
                        std::optional<std::uint64_t> length = {}) {
  return with(http::Body(std::make_unique<FakeBody>(std::move(pieces)), length));
}

Result<std::string> all_of(http::Request& request) {
  return run_now(http::read_all(request.body, 1000)).value();
}

TEST(BodyLimit, KnownLengthsAreRefusedAtOnce) {
  http::Request said = stream_of({}, 11);
  EXPECT_EQ(limit_body(said, 10).error().code, ErrorCode::kExhausted);
  http::Request whole = with(std::string(11, 'a'));
  EXPECT_EQ(limit_body(whole, 10).error().code, ErrorCode::kExhausted);
  http::Request fits = with(std::string(10, 'a'));
  EXPECT_TRUE(limit_body(fits, 10));
  EXPECT_EQ(said.trace.failure, kBodyTooLong);
  EXPECT_EQ(whole.trace.failure, kBodyTooLong);
  EXPECT_EQ(fits.trace.failure, "");
}

TEST(BodyLimit, UnknownLengthsFailWhereTheyPassIt) {
  http::Request request = stream_of({"aaaaa", "bbbbb", "c", "d"});
  ASSERT_TRUE(limit_body(request, 10));
  EXPECT_EQ(run_now(request.body.stream->read()).value().value(), "aaaaa");
  EXPECT_EQ(run_now(request.body.stream->read()).value().value(), "bbbbb");
  EXPECT_EQ(run_now(request.body.stream->read()).value().error().code, ErrorCode::kExhausted);
  EXPECT_EQ(run_now(request.body.stream->read()).value().error().code, ErrorCode::kExhausted);
  EXPECT_EQ(request.trace.failure, kBodyTooLong);
}

TEST(BodyLimit, WhatFitsPassesWithItsTrailers) {
  http::Request request = stream_of({"aaaaa", "bbbbb"});
  ASSERT_TRUE(limit_body(request, 10));
  EXPECT_EQ(all_of(request), "aaaaabbbbb");
  EXPECT_TRUE(request.body.stream->trailers().has("X-Trailer"));
}

TEST(BodyLimit, AnErrorOfTheBodyStaysWhatItIs) {
  http::Request request = stream_of({"a", fail(ErrorCode::kTimeout, "slow")});
  ASSERT_TRUE(limit_body(request, 10));
  EXPECT_EQ(all_of(request).error().code, ErrorCode::kTimeout);
}

TEST(BodyLimit, ZeroIsNoLimit) {
  http::Request request = stream_of({std::string(100, 'a')});
  const http::BodyReader* const before = request.body.stream.get();
  ASSERT_TRUE(limit_body(request, 0));
  EXPECT_EQ(request.body.stream.get(), before);
}

}  // namespace
}  // namespace gatehouse::gateway
