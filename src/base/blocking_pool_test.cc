#include "base/blocking_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>

#include "base/queue_executor.h"

namespace gatehouse {
namespace {

TEST(BlockingPoolTest, GivesTheValueBackOnTheHomeThread) {
  QueueExecutor home;
  BlockingPool pool({.name = "hash"});
  std::thread::id worked_on;
  std::thread::id resumed_on;
  std::optional<Result<int>> got;
  auto task = [&]() -> Task<void> {
    got = co_await pool.run(home, [&]() -> Result<int> {
      worked_on = std::this_thread::get_id();
      return 7;
    });
    resumed_on = std::this_thread::get_id();
  };
  spawn(task());
  home.run_until([&] { return got.has_value(); });
  EXPECT_EQ(got->value(), 7);
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
  EXPECT_NE(worked_on, std::this_thread::get_id());
}

TEST(BlockingPoolTest, ErrorOfTheWorkReachesTheAwaiter) {
  QueueExecutor home;
  BlockingPool pool({.name = "hash"});
  const Result<int> got =
      home.wait(pool.run(home, []() -> Result<int> { return fail(ErrorCode::kDenied, "no"); }));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kDenied);
}

TEST(BlockingPoolTest, ExceptionOfTheWorkReachesTheAwaiter) {
  QueueExecutor home;
  BlockingPool pool({.name = "hash"});
  auto task = [&]() -> Task<std::string> {
    try {
      const Result<int> value =
          co_await pool.run(home, []() -> Result<int> { throw std::runtime_error("thrown"); });
      co_return value ? "value" : "error";
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
  };
  EXPECT_EQ(home.wait(task()), "thrown");
}

/// Holds a pool's one thread until it is let go.
class Block {
 public:
  explicit Block(BlockingPool& pool) {
    EXPECT_TRUE(pool.submit([gates = gates_] {
      gates->started.count_down();
      gates->release.wait();
    }));
    gates_->started.wait();
  }
  void let_go() { gates_->release.count_down(); }

 private:
  struct Gates {
    std::latch started{1};
    std::latch release{1};
  };
  const std::shared_ptr<Gates> gates_ = std::make_shared<Gates>();
};

TEST(BlockingPoolTest, FullQueueIsRefusedAtOnceAndNamesThePool) {
  QueueExecutor home;
  BlockingPool pool({.name = "password hashes", .threads = 1, .queue_limit = 1});
  Block block(pool);
  ASSERT_TRUE(pool.submit([] {}));
  EXPECT_EQ(pool.queued(), 1u);
  bool ran = false;
  const Result<int> got = home.wait(pool.run(home, [&ran]() -> Result<int> {
    ran = true;
    return 1;
  }));
  block.let_go();
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(got.error().message, "the queue of password hashes is full; try again later");
  EXPECT_FALSE(ran);
}

TEST(BlockingPoolTest, DestructionFinishesWhatIsQueued) {
  int done = 0;
  {
    BlockingPool pool({.name = "files"});
    Block block(pool);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(pool.submit([&done] { ++done; }));
    block.let_go();
  }
  EXPECT_EQ(done, 100);
}

TEST(BlockingPoolTest, AwaiterDestroyedWhileItsJobIsUnderWayIsNotResumed) {
  QueueExecutor home;
  std::atomic<bool> worked = false;
  bool resumed = false;
  {
    BlockingPool pool({.name = "hash"});
    Block block(pool);
    {
      auto waiting = [&]() -> Task<void> {
        const Result<int> value = co_await pool.run(home, [&worked]() -> Result<int> {
          worked = true;
          return 1;
        });
        resumed = value.has_value();
      };
      Task<void> task = waiting();
      auto awaiter = std::move(task).operator co_await();
      awaiter.await_suspend(std::noop_coroutine()).resume();
    }
    block.let_go();
  }
  EXPECT_EQ(home.run_ready(), 1u);
  EXPECT_TRUE(worked);
  EXPECT_FALSE(resumed);
}

TEST(BlockingPoolTest, WorkIsDestroyedBeforeTheAwaiterGoesOn) {
  QueueExecutor home;
  BlockingPool pool({.name = "hash"});
  auto owned = std::make_shared<int>(7);
  const std::weak_ptr<int> seen = owned;
  const Result<int> got =
      home.wait(pool.run(home, [owned = std::move(owned)]() -> Result<int> { return *owned; }));
  EXPECT_EQ(got.value(), 7);
  EXPECT_TRUE(seen.expired());
}

TEST(BlockingPoolTest, ManyThreadsRunAtOnce) {
  std::latch all(3);
  BlockingPool pool({.name = "hash", .threads = 3});
  // Each job waits for the other two: this ends only if three run at once.
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool.submit([&all] { all.arrive_and_wait(); }));
}

}  // namespace
}  // namespace gatehouse
