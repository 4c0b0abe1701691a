#include "identity/login/login_throttle.h"

#include <gtest/gtest.h>

namespace gatehouse::identity {
namespace {

using std::chrono::seconds;
using Attempt = LoginThrottle::Attempt;

class LoginThrottleTest : public testing::Test {
 protected:
  static Attempt alice(const char* address = "192.0.2.1") {
    return LoginThrottle::attempt("alice@example.org", address);
  }
  void fail_times(const Attempt& attempt, int times) {
    for (int i = 0; i < times; ++i) {
      clock_.advance(throttle_.wait(attempt));
      ASSERT_EQ(throttle_.begin(attempt), seconds(0));
    }
  }

  ManualClock clock_;
  LoginThrottle throttle_{
      {.free_failures = 4, .slow_down = seconds(2), .slow_down_limit = seconds(300)}, clock_, 64};
};

TEST_F(LoginThrottleTest, FourFailuresAreFreeAndTheFifthSlowsDown) {
  fail_times(alice(), 4);
  EXPECT_EQ(throttle_.wait(alice()), seconds(0));
  fail_times(alice(), 1);
  EXPECT_EQ(throttle_.wait(alice()), seconds(2));
  EXPECT_EQ(throttle_.begin(alice()), seconds(2));
}

TEST_F(LoginThrottleTest, EachFurtherFailureDoublesTheWaitUpToTheLimit) {
  fail_times(alice(), 5);
  for (const int expected : {2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
    EXPECT_EQ(throttle_.wait(alice()), seconds(expected));
    fail_times(alice(), 1);
  }
}

TEST_F(LoginThrottleTest, TriesWhileOneWaitsAddNothing) {
  fail_times(alice(), 5);
  for (int i = 0; i < 100; ++i) throttle_.begin(alice());
  EXPECT_EQ(throttle_.wait(alice()), seconds(2));
  clock_.advance(seconds(2));
  EXPECT_EQ(throttle_.wait(alice()), seconds(0));
}

TEST_F(LoginThrottleTest, SimultaneousTriesAreCountedBeforeTheyAreJudged) {
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += throttle_.begin(alice()) == seconds(0) ? 1 : 0;
  EXPECT_EQ(admitted, 5);
}

TEST_F(LoginThrottleTest, AnotherAddressOfTheSameUserIsNotLockedOut) {
  fail_times(alice("203.0.113.9"), 20);
  EXPECT_GT(throttle_.wait(alice("203.0.113.9")), seconds(0));
  EXPECT_EQ(throttle_.wait(alice("192.0.2.1")), seconds(0));
}

TEST_F(LoginThrottleTest, OneAddressCannotTryManyAccounts) {
  for (int i = 0; i < 41; ++i) {
    fail_times(LoginThrottle::attempt("user" + std::to_string(i), "203.0.113.9"), 1);
  }
  EXPECT_EQ(throttle_.wait(LoginThrottle::attempt("fresh", "203.0.113.9")), seconds(2));
  EXPECT_EQ(throttle_.wait(alice("192.0.2.1")), seconds(0));
}

TEST_F(LoginThrottleTest, ARightPasswordForgivesTheAccountButNotTheAddress) {
  const Attempt own = LoginThrottle::attempt("mallory", "203.0.113.9");
  for (int i = 0; i < 41; ++i) {
    fail_times(LoginThrottle::attempt("user" + std::to_string(i), "203.0.113.9"), 1);
    const seconds wait = throttle_.begin(own);
    if (wait == seconds(0)) throttle_.succeed(own);
  }
  EXPECT_GT(throttle_.wait(own), seconds(0));
  fail_times(alice(), 4);
  ASSERT_EQ(throttle_.begin(alice()), seconds(0));
  throttle_.succeed(alice());
  fail_times(alice(), 4);
  EXPECT_EQ(throttle_.wait(alice()), seconds(0));
}

TEST_F(LoginThrottleTest, WhatCouldNotBeJudgedDoesNotCount) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(throttle_.begin(alice()), seconds(0));
    throttle_.forget(alice());
  }
  EXPECT_EQ(throttle_.size(), 0u);
}

TEST_F(LoginThrottleTest, FailuresAreForgivenAfterADay) {
  fail_times(alice(), 9);
  clock_.advance(kThrottleMemory + seconds(1));
  fail_times(alice(), 4);
  EXPECT_EQ(throttle_.wait(alice()), seconds(0));
}

TEST_F(LoginThrottleTest, TheTableIsBounded) {
  for (int i = 0; i < 1'000; ++i) {
    throttle_.begin(
        LoginThrottle::attempt(std::string(10'000, 'x'), "10.0.0." + std::to_string(i)));
  }
  EXPECT_EQ(throttle_.size(), 64u);
}

TEST_F(LoginThrottleTest, AnIpv6CustomerIsOneAddress) {
  EXPECT_EQ(throttled_network("2001:db8:1:2::1"), throttled_network("2001:db8:1:2:ffff::9"));
  EXPECT_NE(throttled_network("2001:db8:1:2::1"), throttled_network("2001:db8:1:3::1"));
  EXPECT_EQ(throttled_network("::ffff:192.0.2.1"), throttled_network("192.0.2.1"));
  EXPECT_EQ(alice("2001:db8::1").account_key, alice("2001:db8::2").account_key);
}

}  // namespace
}  // namespace gatehouse::identity
