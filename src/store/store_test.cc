#include "store/store.h"

#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/queue_executor.h"
#include "store/memory/memory_database.h"

namespace gatehouse::store {
namespace {

class StoreTest : public testing::Test {
 protected:
  std::optional<std::string> value(std::string name) {
    return home_
        .wait(store_.transact(
            [name = std::move(name)](Transaction& transaction) { return transaction.value(name); }))
        .value();
  }

  std::unique_ptr<Database> database_ = make_memory_database();
  QueueExecutor home_;
  BlockingPool thread_{{.name = "the store", .threads = 1, .queue_limit = 2}};
  Store store_{home_, thread_, *database_};
};

TEST_F(StoreTest, GivesTheValueOfTheTransaction) {
  const Result<int> done = home_.wait(store_.transact([](Transaction& transaction) -> Result<int> {
    if (auto set = transaction.set_value("a", "1"); !set) return std::unexpected(set.error());
    return 7;
  }));
  EXPECT_EQ(done.value(), 7);
  EXPECT_EQ(value("a"), "1");
}

TEST_F(StoreTest, CarriesResultsWithoutAValue) {
  const Result<void> done = home_.wait(
      store_.transact([](Transaction& transaction) { return transaction.set_value("a", "1"); }));
  EXPECT_TRUE(done);
}

TEST_F(StoreTest, ErrorOfTheWorkRollsBackAndReachesTheCaller) {
  const Result<int> done = home_.wait(store_.transact([](Transaction& transaction) -> Result<int> {
    EXPECT_TRUE(transaction.set_value("a", "1"));
    return fail(ErrorCode::kDenied, "no");
  }));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kDenied);
  EXPECT_EQ(value("a"), std::nullopt);
}

TEST_F(StoreTest, WorkRunsOnTheDatabasesThreadAndTheCallerGoesOnAtHome) {
  std::thread::id worked_on;
  std::thread::id resumed_on;
  auto task = [&]() -> Task<bool> {
    const Result<void> done = co_await store_.transact([&](Transaction&) -> Result<void> {
      worked_on = std::this_thread::get_id();
      return {};
    });
    resumed_on = std::this_thread::get_id();
    co_return done.has_value();
  };
  EXPECT_TRUE(home_.wait(task()));
  EXPECT_NE(worked_on, std::this_thread::get_id());
  EXPECT_EQ(resumed_on, std::this_thread::get_id());
}

TEST_F(StoreTest, FullQueueIsExhaustedAtOnce) {
  struct Gates {
    std::latch started{1};
    std::latch release{1};
  };
  const auto gates = std::make_shared<Gates>();
  ASSERT_TRUE(thread_.submit([gates] {
    gates->started.count_down();
    gates->release.wait();
  }));
  gates->started.wait();
  const auto set = [](std::string name) {
    return [name](Transaction& transaction) { return transaction.set_value(name, "1"); };
  };
  int finished = 0;
  const auto count = [&finished](const Result<void>& done) { finished += done ? 1 : 0; };
  spawn(store_.transact(set("a")), count);
  spawn(store_.transact(set("b")), count);
  const Result<void> refused = home_.wait(store_.transact(set("c")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kExhausted);
  gates->release.count_down();
  home_.run_until([&] { return finished == 2; });
  EXPECT_EQ(value("a"), "1");
  EXPECT_EQ(value("b"), "1");
  EXPECT_EQ(value("c"), std::nullopt);
}

TEST_F(StoreTest, CallerThatGaveUpDoesNotUndoItsTransaction) {
  {
    Task<Result<void>> task =
        store_.transact([](Transaction& transaction) { return transaction.set_value("a", "1"); });
    auto awaiter = std::move(task).operator co_await();
    awaiter.await_suspend(std::noop_coroutine()).resume();
  }
  EXPECT_EQ(value("a"), "1");
}

TEST(TransactNowTest, GivesTheValueOrTheError) {
  const auto database = make_memory_database();
  EXPECT_TRUE(transact_now(
      *database, [](Transaction& transaction) { return transaction.set_value("a", "1"); }));
  EXPECT_EQ(transact_now(*database, [](Transaction& transaction) { return transaction.value("a"); })
                .value(),
            "1");
  const Result<int> failed = transact_now(
      *database, [](Transaction&) -> Result<int> { return fail(ErrorCode::kNotFound, "gone"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "gone");
}

}  // namespace
}  // namespace gatehouse::store
