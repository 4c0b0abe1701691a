#include "net/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "net/file_descriptor.h"
#include "net/test_loop.h"
#include "net/timer_wheel.h"

namespace gatehouse::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

TEST(LoopTest, WorkPostedByManyThreadsRunsInTheOrderOfEach) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5'000;
  const SystemClock clock;
  Loop loop(clock);
  std::array<std::vector<int>, kThreads> seen;
  int left = kThreads * kEach;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        loop.post([&, thread, i] {
          seen[thread].push_back(i);
          if (--left == 0) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (const auto& numbers : seen) {
    EXPECT_EQ(numbers.size(), kEach);
    EXPECT_TRUE(std::ranges::is_sorted(numbers));
  }
}

TEST(LoopTest, PostingFromTheLoopRunsLaterNotWithin) {
  const SystemClock clock;
  Loop loop(clock);
  std::vector<int> order;
  loop.post([&] {
    loop.post([&] {
      order.push_back(2);
      loop.stop();
    });
    order.push_back(1);
  });
  loop.run();
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(LoopTest, WhatIsLeftGoesWithTheLoop) {
  const auto alive = std::make_shared<int>();
  const SystemClock clock;
  {
    auto loop = std::make_unique<Loop>(clock);
    loop->spawn([](Loop& home, std::shared_ptr<int> /*kept*/) -> Task<void> {
      co_await home.sleep(hours(1));
    }(*loop, alive));
    loop->post([alive] {});
    auto dropped = std::shared_ptr<int>(new int, [home = loop.get(), alive](const int* number) {
      home->post([alive] {});
      delete number;
    });
    loop->post([dropped = std::move(dropped)] {});
    EXPECT_GT(alive.use_count(), 3);
    loop.reset();
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(LoopTest, ATimerMayOutliveItsLoop) {
  const SystemClock clock;
  auto loop = std::make_unique<Loop>(clock);
  Loop::Timer timer(*loop, [] {});
  timer.set_after(seconds(1));
  loop.reset();
}

TEST(LoopTest, ASleepThatIsDestroyedDoesNotWake) {
  TestLoop test_loop;
  EXPECT_EQ(run_now([](Loop& loop) -> Task<int> {
              co_await loop.sleep(milliseconds(1));
              co_return 1;
            }(test_loop.get())),
            std::nullopt);
  test_loop.run(test_loop.get().sleep(milliseconds(20)));
}

class CountingListener final : public EventListener {
 public:
  explicit CountingListener(std::function<void()> call) : call_(std::move(call)) {}
  void on_events(std::uint32_t /*events*/) override {
    ++count;
    call_();
  }
  int count = 0;

 private:
  std::function<void()> call_;
};

TEST(LoopTest, ADescriptorForgottenWithinABatchGetsNoStaleEvent) {
  const SystemClock clock;
  Loop loop(clock);
  FileDescriptor first(::eventfd(1, EFD_NONBLOCK));
  FileDescriptor second(::eventfd(1, EFD_NONBLOCK));
  CountingListener one([&] {
    loop.forget(second.get());
    loop.stop();
  });
  CountingListener two([&] {
    loop.forget(first.get());
    loop.stop();
  });
  ASSERT_TRUE(loop.watch(first.get(), one));
  ASSERT_TRUE(loop.watch(second.get(), two));
  loop.run();
  EXPECT_EQ(one.count + two.count, 1);
}

TEST(LoopTest, ADescriptorThatIsReusedWithinABatchGetsOnlyEventsOfItsOwn) {
  const SystemClock clock;
  Loop loop(clock);
  FileDescriptor first(::eventfd(1, EFD_NONBLOCK));
  FileDescriptor second(::eventfd(1, EFD_NONBLOCK));
  FileDescriptor fresh;
  CountingListener newcomer([] {});
  const auto replace = [&](FileDescriptor& other) {
    if (fresh.valid()) return;
    const int number = other.get();
    loop.forget(number);
    other.close();
    // An epoll with nothing in it has no event of its own.
    fresh = FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
    EXPECT_TRUE(loop.watch(fresh.get(), newcomer));
    EXPECT_EQ(fresh.get(), number);
    loop.post([&loop] { loop.stop(); });
  };
  CountingListener one([&] { replace(second); });
  CountingListener two([&] { replace(first); });
  ASSERT_TRUE(loop.watch(first.get(), one));
  ASSERT_TRUE(loop.watch(second.get(), two));
  loop.run();
  EXPECT_EQ(one.count + two.count, 1);
  EXPECT_EQ(newcomer.count, 0);
}

/// A timer of the wheel alone, under a time that the test moves.
class TimerWheelTest : public ::testing::Test {
 protected:
  std::unique_ptr<TimerWheel::Entry> timer(std::function<void()> call) {
    return std::make_unique<TimerWheel::Entry>(std::move(call));
  }
  void advance_to(MonotonicTime::duration since_start) {
    // As a loop does: by way of each time that the wheel asks for.
    const MonotonicTime target = start_ + since_start;
    while (wheel_.next() && *wheel_.next() < target) wheel_.advance(*wheel_.next());
    wheel_.advance(target);
    now_ = target;
  }

  const MonotonicTime start_{seconds(1'000)};
  MonotonicTime now_ = start_;
  TimerWheel wheel_{start_};
};

TEST_F(TimerWheelTest, EachFiresOnceNeverEarlyAndAtMostATickLate) {
  for (const MonotonicTime::duration delay :
       {MonotonicTime::duration(milliseconds(1)), MonotonicTime::duration(milliseconds(8)),
        MonotonicTime::duration(milliseconds(511)), MonotonicTime::duration(milliseconds(512)),
        MonotonicTime::duration(seconds(33)), MonotonicTime::duration(minutes(36)),
        MonotonicTime::duration(hours(30)), MonotonicTime::duration(hours(100))}) {
    int fired = 0;
    const auto entry = timer([&] { ++fired; });
    const MonotonicTime begin = now_;
    wheel_.set(*entry, begin + delay);
    advance_to(begin - start_ + delay - milliseconds(1));
    EXPECT_EQ(fired, 0) << delay;
    advance_to(begin - start_ + delay + TimerWheel::kTick);
    EXPECT_EQ(fired, 1) << delay;
    EXPECT_FALSE(entry->armed());
  }
}

TEST_F(TimerWheelTest, OneThatIsMovedFiresAtItsLastTimeOnly) {
  int fired = 0;
  const auto entry = timer([&] { ++fired; });
  wheel_.set(*entry, start_ + seconds(1));
  wheel_.set(*entry, start_ + minutes(2));
  advance_to(minutes(1));
  EXPECT_EQ(fired, 0);
  wheel_.set(*entry, start_ + seconds(61));
  advance_to(seconds(62));
  EXPECT_EQ(fired, 1);
  advance_to(minutes(3));
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, OneThatIsCancelledDoesNotFireAndTheWheelComesToRest) {
  const auto entry = timer([] { FAIL(); });
  wheel_.set(*entry, start_ + seconds(1));
  TimerWheel::cancel(*entry);
  advance_to(seconds(5));
  EXPECT_EQ(wheel_.next(), std::nullopt);
}

TEST_F(TimerWheelTest, ATimeThatHasPassedFiresAtTheNextTick) {
  advance_to(seconds(5));
  int fired = 0;
  const auto entry = timer([&] { ++fired; });
  wheel_.set(*entry, start_);
  EXPECT_EQ(fired, 0);
  advance_to(seconds(5) + TimerWheel::kTick);
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, ACallMayDestroyItsOwnTimerAndOthers) {
  auto other = timer([] { FAIL(); });
  std::unique_ptr<TimerWheel::Entry> self;
  const auto witness = std::make_shared<int>(7);
  self = timer([&, witness] {
    wheel_.destroy(std::move(self));
    wheel_.destroy(std::move(other));
    EXPECT_EQ(*witness, 7);
  });
  wheel_.set(*self, start_ + seconds(1));
  wheel_.set(*other, start_ + seconds(1));
  advance_to(seconds(2));
  EXPECT_EQ(witness.use_count(), 1);
}

TEST_F(TimerWheelTest, TenThousandSetMovedAndCancelledFireInTimeOrNotAtAll) {
  constexpr int kCount = 10'000;
  std::vector<std::unique_ptr<TimerWheel::Entry>> entries;
  std::vector<MonotonicTime> due(kCount);
  int fired = 0;
  MonotonicTime latest = start_;
  for (int i = 0; i < kCount; ++i) {
    entries.push_back(timer([&, i] {
      ++fired;
      EXPECT_NE(i % 3, 0) << "cancelled";
      EXPECT_GE(due[i], latest - TimerWheel::kTick) << "out of order";
      latest = std::max(latest, due[i]);
    }));
    wheel_.set(*entries[i], start_ + milliseconds(i * 7919 % 100'000));
  }
  for (int i = 0; i < kCount; ++i) {
    due[i] = start_ + milliseconds(1 + i * 104'729LL % 300'000);
    wheel_.set(*entries[i], due[i]);
    if (i % 3 == 0) TimerWheel::cancel(*entries[i]);
  }
  advance_to(seconds(301));
  EXPECT_EQ(fired, kCount - (kCount + 2) / 3);
  EXPECT_EQ(wheel_.next(), std::nullopt);
}

}  // namespace
}  // namespace gatehouse::net
