#include "gateway/authz/body_buffer.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>

#include "gateway/fakes.h"

namespace gatehouse::gateway {
namespace {

using Pieces = std::deque<Result<std::string>>;

http::Request streamed(Pieces pieces, std::optional<std::uint64_t> length = {}) {
  http::Request request;
  request.method = "POST";
  request.body = http::Body(std::make_unique<FakeBody>(std::move(pieces)), length);
  return request;
}

Result<void> buffered(http::Request& request, std::size_t limit, bool may_be_cut) {
  return run_now(buffer_body(request, limit, may_be_cut)).value();
}

std::string all_of(http::Body& body) {
  return run_now(http::read_all(body, 1'000'000)).value().value();
}

TEST(BodyBuffer, AShortBodyBecomesWhole) {
  http::Request request = streamed({"ab", "cd"});
  ASSERT_TRUE(buffered(request, 4, /*may_be_cut=*/false));
  EXPECT_EQ(request.body.bytes, "abcd");
  EXPECT_EQ(request.body.stream, nullptr);
}

TEST(BodyBuffer, ALongBodyIsRefusedWhereItMayNotBeCut) {
  http::Request request = streamed({"ab", "cde"});
  const Result<void> result = buffered(request, 4, /*may_be_cut=*/false);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kExhausted);
  http::Request whole;
  whole.body = http::Body(std::string("abcde"));
  EXPECT_EQ(buffered(whole, 4, /*may_be_cut=*/false).error().code, ErrorCode::kExhausted);
}

TEST(BodyBuffer, ABodySaidToBeLongIsRefusedUnread) {
  http::Request request = streamed({fail(ErrorCode::kInternal, "was read")}, 5);
  EXPECT_EQ(buffered(request, 4, /*may_be_cut=*/false).error().code, ErrorCode::kExhausted);
}

TEST(BodyBuffer, ACutBodyGoesOnWhole) {
  http::Request request = streamed({"ab", "cdef", "gh", "ij"}, 10);
  ASSERT_TRUE(buffered(request, 4, /*may_be_cut=*/true));
  EXPECT_EQ(request.body.bytes, "abcdef");
  ASSERT_NE(request.body.stream, nullptr);
  EXPECT_EQ(request.body.length, 10U);
  EXPECT_EQ(all_of(request.body), "abcdefghij");
  EXPECT_EQ(request.body.stream->trailers().get("x-trailer"), "t");
}

TEST(BodyBuffer, AFaultOfTheBodyIsPassedOn) {
  http::Request request = streamed({"ab", fail(ErrorCode::kCorrupt, "cut")});
  EXPECT_EQ(buffered(request, 4, /*may_be_cut=*/true).error().code, ErrorCode::kCorrupt);
}

TEST(BodyBuffer, AnUpgradeIsNeverRead) {
  http::Request request = streamed({fail(ErrorCode::kInternal, "was read")});
  request.upgrade = "websocket";
  EXPECT_TRUE(buffered(request, 4, /*may_be_cut=*/false));
  EXPECT_NE(request.body.stream, nullptr);
}

TEST(BodyBuffer, AnEmptyBodyStaysEmpty) {
  http::Request request = streamed({});
  ASSERT_TRUE(buffered(request, 4, /*may_be_cut=*/false));
  EXPECT_TRUE(request.body.empty());
}

}  // namespace
}  // namespace gatehouse::gateway
