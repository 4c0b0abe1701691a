#include "gateway/filters/body_limit.h"

#include <gtest/gtest.h>

#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

http::Body stream_of(std::deque<Result<std::string>> pieces,
                     std::optional<std::uint64_t> length = {}) {
  return http::Body(std::make_unique<FakeBody>(std::move(pieces)), length);
}

Result<std::string> all_of(http::Body& body) {
  return run_now(http::read_all(body, 1000)).value();
}

TEST(BodyLimit, KnownLengthsAreRefusedAtOnce) {
  http::Body said = stream_of({}, 11);
  EXPECT_EQ(limit_body(said, 10).error().code, ErrorCode::kExhausted);
  http::Body whole(std::string(11, 'a'));
  EXPECT_EQ(limit_body(whole, 10).error().code, ErrorCode::kExhausted);
  http::Body fits(std::string(10, 'a'));
  EXPECT_TRUE(limit_body(fits, 10));
}

TEST(BodyLimit, UnknownLengthsFailWhereTheyPassIt) {
  http::Body body = stream_of({"aaaaa", "bbbbb", "c", "d"});
  ASSERT_TRUE(limit_body(body, 10));
  EXPECT_EQ(run_now(body.stream->read()).value().value(), "aaaaa");
  EXPECT_EQ(run_now(body.stream->read()).value().value(), "bbbbb");
  EXPECT_EQ(run_now(body.stream->read()).value().error().code, ErrorCode::kExhausted);
  EXPECT_EQ(run_now(body.stream->read()).value().error().code, ErrorCode::kExhausted);
}

TEST(BodyLimit, WhatFitsPassesWithItsTrailers) {
  http::Body body = stream_of({"aaaaa", "bbbbb"});
  ASSERT_TRUE(limit_body(body, 10));
  EXPECT_EQ(all_of(body), "aaaaabbbbb");
  EXPECT_TRUE(body.stream->trailers().has("X-Trailer"));
}

TEST(BodyLimit, AnErrorOfTheBodyStaysWhatItIs) {
  http::Body body = stream_of({"a", fail(ErrorCode::kTimeout, "slow")});
  ASSERT_TRUE(limit_body(body, 10));
  EXPECT_EQ(all_of(body).error().code, ErrorCode::kTimeout);
}

TEST(BodyLimit, ZeroIsNoLimit) {
  http::Body body = stream_of({std::string(100, 'a')});
  const http::BodyReader* const before = body.stream.get();
  ASSERT_TRUE(limit_body(body, 0));
  EXPECT_EQ(body.stream.get(), before);
}

}  // namespace
}  // namespace gatehouse::gateway
