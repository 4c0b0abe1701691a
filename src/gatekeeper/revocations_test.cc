#include "gatekeeper/revocations.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/memory/memory_database.h"
#include "store/store.h"

namespace gatehouse::gatekeeper {
namespace {

const WallTime kNow = from_unix_seconds(1'800'000'000);
const WallTime kLater = kNow + std::chrono::hours(1);

Result<void> poll(store::Database& database, Revocations& revocations) {
  return store::transact_now(database, [&revocations](store::Transaction& transaction) {
    return revocations.poll(transaction);
  });
}

void revoke(store::Database& database, const std::string& id) {
  ASSERT_TRUE(store::transact_now(database, [&id](store::Transaction& transaction) {
    return transaction.revoke_session(id, kLater);
  }));
}

TEST(RevocationsTest, AnAddedSessionIsRefusedByEveryViewAtOnce) {
  Revocations shared;
  RevocationView one(shared), two(shared);
  EXPECT_FALSE(one.contains("a"));
  shared.add("a", kLater);
  EXPECT_TRUE(one.contains("a"));
  EXPECT_TRUE(two.contains("a"));
  EXPECT_FALSE(two.contains("b"));
}

TEST(RevocationsTest, AReplicasAreLearnedFromTheStoreAndReadOnce) {
  const auto database = store::make_memory_database();
  Revocations shared;
  RevocationView view(shared);
  for (int i = 0; i < 20; ++i) revoke(*database, "session-" + std::to_string(i));
  ASSERT_TRUE(poll(*database, shared));
  ASSERT_TRUE(poll(*database, shared));
  EXPECT_EQ(shared.size(), 20U);
  EXPECT_TRUE(view.contains("session-19"));
  revoke(*database, "late");
  ASSERT_TRUE(poll(*database, shared));
  EXPECT_TRUE(view.contains("late"));
}

TEST(RevocationsTest, GoWhenTheirSessionWouldHaveExpired) {
  Revocations shared;
  RevocationView view(shared);
  shared.add("short", kNow);
  shared.add("long", kLater);
  EXPECT_TRUE(view.contains("short"));
  shared.forget(kNow);
  EXPECT_EQ(shared.size(), 1U);
  EXPECT_FALSE(view.contains("short"));
  EXPECT_TRUE(view.contains("long"));
}

TEST(RevocationsTest, AreSeenByOtherThreads) {
  Revocations shared;
  constexpr int kSessions = 200;
  std::vector<std::jthread> loops;
  std::atomic<int> found = 0;
  for (int loop = 0; loop < 2; ++loop) {
    loops.emplace_back([&shared, &found] {
      RevocationView view(shared);
      for (int i = 0; i < kSessions; ++i) {
        while (!view.contains(std::to_string(i))) std::this_thread::yield();
        ++found;
      }
    });
  }
  for (int i = 0; i < kSessions; ++i) shared.add(std::to_string(i), kLater);
  loops.clear();
  EXPECT_EQ(found, 2 * kSessions);
}

}  // namespace
}  // namespace gatehouse::gatekeeper
