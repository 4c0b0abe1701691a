#include "net/http2/frame_watch.h"

#include <gtest/gtest.h>

#include <string>

#include "net/http2/test_frames.h"

namespace gatehouse::net::http2 {
namespace {

using std::chrono::milliseconds;

/// The first fault in `bytes`, fed in pieces of `piece` bytes: its code, or nullopt.
std::optional<FrameError> fault_in(FrameWatch& watch, std::string_view bytes, std::size_t piece,
                                   MonotonicTime now = {}) {
  while (!bytes.empty()) {
    const FrameWatch::Step step = watch.next(bytes.substr(0, piece), now);
    EXPECT_GT(step.consumed, 0u);
    if (step.fault) return step.fault->code;
    bytes.remove_prefix(step.consumed);
  }
  return std::nullopt;
}

const FrameWatch::Limits kLimits{
    .continuation_frames = 2, .control_frames_per_second = 3, .resets_per_second = 2};
const std::string kPing = frame(FrameType::kPing, 0, 0, "12345678");

TEST(RateTest, CountsInSecondsAndTakesCredit) {
  Rate rate(2);
  const MonotonicTime start = MonotonicTime() + std::chrono::hours(1);
  EXPECT_TRUE(rate.take(start));
  EXPECT_TRUE(rate.take(start));
  EXPECT_FALSE(rate.take(start));
  rate.credit(1);
  EXPECT_TRUE(rate.take(start));
  EXPECT_FALSE(rate.take(start + milliseconds(999)));
  EXPECT_TRUE(rate.take(start + milliseconds(1000)));
}

TEST(FrameWatchTest, FindsTheSameHoweverTheBytesAreCut) {
  const std::string bytes =
      std::string(kPreface) + settings() + frame(FrameType::kPriority, 0, 5, number(5, 4) + "\x10");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    FrameWatch watch(FrameWatch::Side::kServer, kLimits);
    EXPECT_EQ(fault_in(watch, bytes, piece), FrameError::kProtocolError) << piece;
  }
}

TEST(FrameWatchTest, LetsADependencyOnAnotherStreamPass) {
  FrameWatch watch(FrameWatch::Side::kServer, kLimits);
  const std::string bytes =
      std::string(kPreface) + frame(FrameType::kPriority, 0, 5, number(0x80000003U, 4) + "\x10");
  EXPECT_EQ(fault_in(watch, bytes, 3), std::nullopt);
}

TEST(FrameWatchTest, CountsControlFramesAndPaysForThemWithContent) {
  FrameWatch watch(FrameWatch::Side::kClient, kLimits);
  EXPECT_EQ(fault_in(watch, kPing + kPing + kPing, 100), std::nullopt);
  watch.sent_data();
  EXPECT_EQ(fault_in(watch, kPing + kPing, 100), std::nullopt);
  EXPECT_EQ(fault_in(watch, kPing, 100), FrameError::kEnhanceYourCalm);
}

TEST(FrameWatchTest, CountsContinuationsOfEachBlock) {
  FrameWatch watch(FrameWatch::Side::kServer, kLimits);
  const std::string more = frame(FrameType::kContinuation, 0, 1, "x");
  const std::string last = frame(FrameType::kContinuation, kEndHeadersFlag, 1, "x");
  const std::string first = frame(FrameType::kHeaders, 0, 1, "x");
  EXPECT_EQ(fault_in(watch, std::string(kPreface) + first + more + last + first + more + more, 7),
            std::nullopt);
  EXPECT_EQ(fault_in(watch, more, 7), FrameError::kEnhanceYourCalm);
}

TEST(FrameWatchTest, KnowsWhenAFrameOrABlockIsUnfinished) {
  FrameWatch watch(FrameWatch::Side::kServer, kLimits);
  EXPECT_TRUE(watch.is_within());
  fault_in(watch, kPreface, 100);
  EXPECT_FALSE(watch.is_within());
  fault_in(watch, kPing.substr(0, 12), 100);
  EXPECT_TRUE(watch.is_within());
  fault_in(watch, kPing.substr(12), 100);
  EXPECT_FALSE(watch.is_within());
  fault_in(watch, frame(FrameType::kHeaders, 0, 1, "x"), 100);
  EXPECT_TRUE(watch.is_within());
  fault_in(watch, frame(FrameType::kContinuation, kEndHeadersFlag, 1, "x"), 100);
  EXPECT_FALSE(watch.is_within());
  // Content has deadlines of its own.
  fault_in(watch, data(1, "content", false).substr(0, 12), 100);
  EXPECT_FALSE(watch.is_within());
}

TEST(FrameWatchTest, AsksForTheStreamWhereItIsNotNew) {
  FrameWatch watch(FrameWatch::Side::kServer, kLimits);
  fault_in(watch, kPreface, 100);
  EXPECT_FALSE(watch.next(frame(FrameType::kHeaders, 4, 5), {}).needs_stream);
  EXPECT_TRUE(watch.next(frame(FrameType::kHeaders, 4, 3), {}).needs_stream);
  EXPECT_TRUE(watch.next(frame(FrameType::kData, 1, 5), {}).needs_stream);
  EXPECT_EQ(watch.highest_stream(), 5u);
}

TEST(ClosedStreamsTest, RemembersTheLastOnes) {
  ClosedStreams closed;
  EXPECT_EQ(closed.find(1), ClosedStreams::Kind::kNeverOpen);
  closed.add(3, false);
  closed.add(5, true);
  EXPECT_EQ(closed.find(1), ClosedStreams::Kind::kNeverOpen);
  EXPECT_EQ(closed.find(3), ClosedStreams::Kind::kEnded);
  EXPECT_EQ(closed.find(5), ClosedStreams::Kind::kReset);
  for (std::uint32_t id = 7; id < 7 + 2 * 64; id += 2) closed.add(id, false);
  EXPECT_EQ(closed.find(5), ClosedStreams::Kind::kForgotten);
  EXPECT_EQ(closed.find(7), ClosedStreams::Kind::kEnded);
}

}  // namespace
}  // namespace gatehouse::net::http2
