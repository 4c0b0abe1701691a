#include "base/task.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace gatehouse {
namespace {

/// Suspends whoever awaits it until go().
class Gate {
 public:
  auto operator co_await() noexcept {
    struct Awaiter {
      Gate& gate;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> awaiting) const noexcept {
        gate.waiting_ = awaiting;
      }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }
  void go() { std::exchange(waiting_, {}).resume(); }
  bool is_awaited() const { return static_cast<bool>(waiting_); }

 private:
  std::coroutine_handle<> waiting_;
};

Task<int> give(int value) {
  co_return value;
}

Task<int> sum(int a, int b) {
  const int first = co_await give(a);
  const int second = co_await give(b);
  co_return first + second;
}

TEST(TaskTest, GivesItsValueToTheAwaiter) {
  EXPECT_EQ(run_now(sum(3, 4)), 7);
}

TEST(TaskTest, StartsOnlyWhenAwaited) {
  bool started = false;
  auto task = [](bool& flag) -> Task<int> {
    flag = true;
    co_return 1;
  }(started);
  EXPECT_FALSE(started);
  EXPECT_EQ(run_now(std::move(task)), 1);
  EXPECT_TRUE(started);
}

TEST(TaskTest, CarriesValuesThatCanOnlyBeMoved) {
  auto task = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  const auto value = run_now(task());
  EXPECT_EQ(**value, 7);
}

Task<int> throwing() {
  throw std::runtime_error("thrown");
  co_return 1;
}
Task<void> throwing_nothing_else() {
  throw std::runtime_error("thrown");
  co_return;
}

TEST(TaskTest, ExceptionPassesThroughEveryAwaiter) {
  auto outer = []() -> Task<int> {
    const int value = co_await throwing();
    co_return value;
  };
  EXPECT_THROW((void)run_now(outer()), std::runtime_error);
  auto catching = []() -> Task<std::string> {
    try {
      co_await throwing_nothing_else();
      co_return "nothing";
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
  };
  EXPECT_EQ(run_now(catching()), "thrown");
}

TEST(TaskTest, MovesBeforeItIsAwaited) {
  Task<int> first = give(7);
  Task<int> second = std::move(first);
  Task<int> third = give(8);
  third = std::move(second);
  EXPECT_EQ(run_now(std::move(third)), 7);
}

/// Counts those of its kind that are alive.
class Counted {
 public:
  explicit Counted(int& alive) : alive_(alive) { ++alive_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive_; }

 private:
  int& alive_;
};

Task<int> wait_at(Gate& gate, int& alive) {
  const Counted local(alive);
  co_await gate;
  co_return alive;
}

Task<int> wait_within(Gate& gate, int& alive) {
  const Counted local(alive);
  const int value = co_await wait_at(gate, alive);
  co_return value;
}

TEST(TaskTest, TaskThatNeverStartedIsDestroyed) {
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = owned;
  {
    const auto task = [](std::shared_ptr<int> kept) -> Task<int> {
      co_return *kept;
    }(std::move(owned));
    EXPECT_FALSE(seen.expired());
  }
  EXPECT_TRUE(seen.expired());
}

TEST(TaskTest, DestroyingASuspendedTaskDestroysWhatItAwaits) {
  Gate gate;
  int alive = 0;
  {
    auto awaiter_of = wait_within(gate, alive);
    auto awaiter = std::move(awaiter_of).operator co_await();
    awaiter.await_suspend(std::noop_coroutine()).resume();
    EXPECT_TRUE(gate.is_awaited());
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

TEST(TaskTest, RunNowOfATaskThatWaitsGivesNothingAndDestroysIt) {
  Gate gate;
  int alive = 0;
  EXPECT_EQ(run_now(wait_within(gate, alive)), std::nullopt);
  EXPECT_EQ(alive, 0);
}

TEST(SpawnTest, CallsBackWithTheValueWhenTheTaskIsDone) {
  Gate gate;
  int alive = 0;
  int got = 0;
  spawn(wait_within(gate, alive), [&got](int value) { got = value; });
  EXPECT_EQ(got, 0);
  EXPECT_EQ(alive, 2);
  gate.go();
  EXPECT_EQ(got, 2);
  EXPECT_EQ(alive, 0) << "the frames are gone";
}

TEST(SpawnTest, DetachedTaskOwnsItself) {
  Gate gate;
  int alive = 0;
  auto task = [](Gate& at, int& count) -> Task<void> { (void)co_await wait_at(at, count); };
  spawn(task(gate, alive));
  EXPECT_EQ(alive, 1);
  gate.go();
  EXPECT_EQ(alive, 0);
}

std::uintptr_t stack_position() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

TEST(TaskTest, HundredThousandAwaitsInALoopDoNotGrowTheStack) {
  auto loop = []() -> Task<std::uintptr_t> {
    const std::uintptr_t start = stack_position();
    for (int i = 0; i < 100'000; ++i) (void)co_await give(i);
    const std::uintptr_t end = stack_position();
    co_return start > end ? start - end : end - start;
  };
  EXPECT_LT(run_now(loop()).value(), 1024u);
}

Task<long> nest(long depth) {
  if (depth == 0) co_return 0;
  const long below = co_await nest(depth - 1);
  co_return below + 1;
}

TEST(TaskTest, HundredThousandNestedAwaitsDoNotOverflowTheStack) {
  EXPECT_EQ(run_now(nest(100'000)), 100'000);
}

}  // namespace
}  // namespace gatehouse
