#include "gateway/upstream/outlier_detector.h"

#include <gtest/gtest.h>

namespace gatehouse::gateway::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class OutlierDetectorTest : public testing::Test {
 protected:
  bool fail(OutlierDetector::Record& record, std::size_t addresses = 10, std::size_t ejected = 0) {
    return detector_.record(record, true, addresses, ejected, now_);
  }
  void eject(OutlierDetector::Record& record) {
    EXPECT_FALSE(fail(record));
    EXPECT_FALSE(fail(record));
    EXPECT_TRUE(fail(record));
  }

  OutlierDetector detector_{{.consecutive_5xx = 3,
                             .interval = seconds(10),
                             .base_ejection = seconds(30),
                             .max_ejection_percent = 20}};
  OutlierDetector::Record record_;
  MonotonicTime now_{};
};

TEST_F(OutlierDetectorTest, FailuresInARowEjectAndASuccessBetweenForgives) {
  EXPECT_FALSE(fail(record_));
  EXPECT_FALSE(fail(record_));
  EXPECT_FALSE(detector_.record(record_, false, 10, 0, now_));
  eject(record_);
  EXPECT_EQ(record_.ejected_until, now_ + seconds(30));
}

TEST_F(OutlierDetectorTest, EachEjectionIsLongerUpToALimit) {
  for (int times = 1; times <= 12; ++times) {
    eject(record_);
    const auto out = std::min(seconds(30) * times, OutlierDetector::kLongestEjection);
    EXPECT_EQ(record_.ejected_until, now_ + out);
    EXPECT_FALSE(detector_.restore(record_, now_ + out - milliseconds(1)));
    now_ += out;
    EXPECT_TRUE(detector_.restore(record_, now_));
    EXPECT_FALSE(detector_.restore(record_, now_));
  }
}

TEST_F(OutlierDetectorTest, IntervalsWithoutEjectionForgive) {
  for (int i = 0; i < 2; ++i) {
    eject(record_);
    now_ = *record_.ejected_until;
    detector_.restore(record_, now_);
  }
  now_ += seconds(20);  // two intervals
  eject(record_);
  EXPECT_EQ(record_.ejected_until, now_ + seconds(30));
}

TEST_F(OutlierDetectorTest, NoMoreThanTheShareGoesOutButOneAlwaysMay) {
  EXPECT_FALSE(fail(record_, 10, 2));
  EXPECT_FALSE(fail(record_, 10, 2));
  EXPECT_FALSE(fail(record_, 10, 2));
  EXPECT_TRUE(fail(record_, 10, 1));
  OutlierDetector::Record other;
  fail(other, 2, 0);
  fail(other, 2, 0);
  EXPECT_TRUE(fail(other, 2, 0));
}

TEST_F(OutlierDetectorTest, IsOffUnlessConfigured) {
  const OutlierDetector off({});
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(off.record(record_, true, 10, 0, now_));
}

}  // namespace
}  // namespace gatehouse::gateway::upstream
