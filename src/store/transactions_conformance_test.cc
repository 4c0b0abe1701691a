// What the contract promises of transactions, held against every backend: all or nothing, serial,
// atomic takes; and of those that keep a file, that what was committed stays.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "base/queue_executor.h"
#include "store/conformance.h"

namespace gatehouse::store {
namespace {

using testing::Optional;
using testing::SizeIs;

using TransactionsTest = ConformanceTest;
using DurabilityTest = ConformanceTest;
INSTANTIATE_TEST_SUITE_P(Backends, TransactionsTest, testing::ValuesIn(backends()), backend_name);

User user(std::string id) {
  std::string email = id + "@example.com";
  return {.id = std::move(id), .email = std::move(email)};
}

std::optional<std::string> value_of(Database& database, std::string_view name) {
  return transact_now(database, [&](Transaction& transaction) { return transaction.value(name); })
      .value();
}

TEST_P(TransactionsTest, ErrorInTheMiddleLeavesNothing) {
  const Result<void> done = run([](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.set_value("a", "1"));
    EXPECT_TRUE(transaction.create_user(user("ada")));
    return fail(ErrorCode::kDenied, "changed my mind");
  });
  EXPECT_EQ(error_of(done), ErrorCode::kDenied);
  EXPECT_EQ(done.error().message, "changed my mind");
  EXPECT_EQ(value_of(*database_, "a"), std::nullopt);
  EXPECT_EQ(call(&Transaction::user_by_id, "ada").value(), std::nullopt);
}

TEST_P(TransactionsTest, ExceptionInTheMiddleLeavesNothingAndReachesTheCaller) {
  const auto throwing = [](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.set_value("a", "1"));
    throw std::runtime_error("thrown");
  };
  EXPECT_THROW((void)run(throwing), std::runtime_error);
  EXPECT_EQ(value_of(*database_, "a"), std::nullopt);
  EXPECT_TRUE(call(&Transaction::set_value, "b", "2")) << "the database goes on working";
}

TEST_P(TransactionsTest, TransactionSeesItsOwnWrites) {
  const Result<bool> seen = run([](Transaction& transaction) -> Result<bool> {
    EXPECT_TRUE(transaction.set_value("a", "1"));
    return transaction.value("a").value() == "1";
  });
  EXPECT_TRUE(seen.value());
}

TEST_P(TransactionsTest, ConflictThatTheWorkAnswersDoesNotSpoilTheRest) {
  ASSERT_TRUE(call(&Transaction::create_user, user("ada")));
  const Result<void> done = run([](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.set_value("before", "1"));
    EXPECT_EQ(error_of(transaction.create_user(user("ada"))), ErrorCode::kConflict);
    EXPECT_EQ(error_of(transaction.update_user(user("bob"))), ErrorCode::kNotFound);
    return transaction.set_value("after", "2");
  });
  ASSERT_TRUE(done);
  EXPECT_EQ(value_of(*database_, "before"), "1");
  EXPECT_EQ(value_of(*database_, "after"), "2");
}

TEST_P(TransactionsTest, RolledBackTakeCanBeTakenAgain) {
  const OneTime code{.kind = "code", .hash = "h", .payload = "p", .expires = at(60)};
  ASSERT_TRUE(call(&Transaction::put_one_time, code));
  const auto failing = run([](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.take_one_time("code", "h").value());
    return fail(ErrorCode::kInternal, "later failure");
  });
  EXPECT_FALSE(failing);
  EXPECT_THAT(call(&Transaction::take_one_time, "code", "h").value(), Optional(code));
}

TEST_P(TransactionsTest, RolledBackRevocationIsNotLogged) {
  (void)run([](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.revoke_session("s", at(60)));
    return fail(ErrorCode::kInternal, "later failure");
  });
  EXPECT_THAT(call(&Transaction::revocations_after, 0, 10u).value(), SizeIs(0));
}

TEST_P(TransactionsTest, OfEightThreadsOneTakesTheCode) {
  constexpr int kRounds = 50;
  std::array<QueueExecutor, 8> homes;
  BlockingPool thread({.name = "store"});
  for (int round = 0; round < kRounds; ++round) {
    const std::string hash = std::to_string(round);
    ASSERT_TRUE(call(&Transaction::put_one_time,
                     OneTime{.kind = "code", .hash = hash, .payload = "p", .expires = at(60)}));
    std::atomic<int> taken = 0;
    std::atomic<int> failed = 0;
    {
      std::vector<std::jthread> threads;
      for (QueueExecutor& home : homes) {
        threads.emplace_back([&] {
          Store store(home, thread, *database_);
          const auto item = home.wait(store.transact([hash](Transaction& transaction) {
            return transaction.take_one_time("code", hash);
          }));
          if (!item) ++failed;
          if (item && *item) ++taken;
        });
      }
    }
    ASSERT_EQ(failed, 0);
    ASSERT_EQ(taken, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, DurabilityTest, testing::ValuesIn(durable_backends()),
                         backend_name);

TEST_P(DurabilityTest, ReopeningKeepsEverything) {
  const User ada{.id = "u", .email = "ada@example.com", .groups = {"a", "b"}, .created = at(1)};
  const Key key{.purpose = "session", .kid = "k", .sealed = "s", .created = at(2)};
  const OneTime code{.kind = "code", .hash = "h", .payload = "p", .expires = at(3)};
  const RefreshToken token{.hash = "r", .family = "f", .rotated = true, .expires = at(4)};
  const Session session{.id = "s", .user = "ada", .expires = at(5)};
  ASSERT_TRUE(run([&](Transaction& transaction) -> Result<void> {
    EXPECT_TRUE(transaction.create_user(ada));
    EXPECT_TRUE(transaction.add_key(key));
    EXPECT_TRUE(transaction.set_value("name", "value"));
    EXPECT_TRUE(transaction.put_one_time(code));
    EXPECT_TRUE(transaction.add_refresh_token(token));
    EXPECT_TRUE(transaction.add_session(session));
    EXPECT_TRUE(transaction.revoke_session("s", at(5)));
    return {};
  }));
  reopen();
  EXPECT_THAT(call(&Transaction::user_by_id, "u").value(), Optional(ada));
  EXPECT_THAT(call(&Transaction::keys, "session").value(), testing::ElementsAre(key));
  EXPECT_EQ(value_of(*database_, "name"), "value");
  EXPECT_THAT(call(&Transaction::take_one_time, "code", "h").value(), Optional(code));
  EXPECT_THAT(call(&Transaction::refresh_token, "r").value(), Optional(token));
  EXPECT_TRUE(call(&Transaction::session, "s").value()->revoked);
  EXPECT_THAT(call(&Transaction::revocations_after, 0, 10u).value(), SizeIs(1));
}

TEST_P(DurabilityTest, SequenceNumbersGrowAcrossAReopening) {
  (void)call(&Transaction::revoke_session, "a", at(10));
  const auto first = call(&Transaction::revocations_after, 0, 10u).value().at(0).sequence;
  ASSERT_EQ(call(&Transaction::collect_expired, at(20), 10u).value(), 1u);
  reopen();
  (void)call(&Transaction::revoke_session, "b", at(30));
  EXPECT_GT(call(&Transaction::revocations_after, 0, 10u).value().at(0).sequence, first);
}

TEST_P(DurabilityTest, TwoHandlesSeeOneAnothersCommits) {
  const auto second = another();
  ASSERT_TRUE(call(&Transaction::set_value, "a", "1"));
  EXPECT_EQ(value_of(*second, "a"), "1");
}

Result<void> increment(Transaction& transaction) {
  const auto before = transaction.value("count");
  if (!before) return std::unexpected(before.error());
  return transaction.set_value("count", std::to_string(std::stoi(before->value_or("0")) + 1));
}

TEST_P(DurabilityTest, TwoHandlesThatWriteAtOnceLoseNoWrite) {
  constexpr int kEach = 100;
  std::atomic<int> failures = 0;
  const auto write = [&](Database& database) {
    for (int i = 0; i < kEach; ++i) {
      if (!database.transact(increment)) ++failures;
    }
  };
  const auto second = another();
  {
    const std::jthread one([&] { write(*database_); });
    const std::jthread two([&] { write(*second); });
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(value_of(*database_, "count"), std::to_string(2 * kEach));
}

TEST_P(DurabilityTest, ManyProcessesMayOpenANewStoreAtOnce) {
  const TemporaryFolder fresh;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const auto database = GetParam().open(fresh);
        const Result<void> done = database ? (*database)->transact(increment)
                                           : Result<void>(std::unexpected(database.error()));
        EXPECT_TRUE(done) << done.error().message;
      });
    }
  }
  EXPECT_EQ(value_of(*GetParam().open(fresh).value(), "count"), "8");
}

/// Commits pairs of values for ever, and tells each by a byte when transact() has returned.
[[noreturn]] void commit_until_killed(const Backend& backend, const TemporaryFolder& folder,
                                      int report) {
  auto opened = backend.open(folder);
  for (int i = 0; opened; ++i) {
    const std::string name = std::to_string(i);
    const Result<void> done = (*opened)->transact([&](Transaction& transaction) -> Result<void> {
      if (auto first = transaction.set_value("first " + name, name); !first) return first;
      return transaction.set_value("second " + name, std::string(3000, 'x'));
    });
    if (!done || ::write(report, "c", 1) != 1) break;
  }
  ::_exit(1);
}

/// Starts a child that commits, kills it after `commits` reports, and gives all that it reported.
int commits_reported_before_kill(const Backend& backend, const TemporaryFolder& folder,
                                 int commits) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    commit_until_killed(backend, folder, ends[1]);
  }
  ::close(ends[1]);
  int reported = 0;
  char byte = 0;
  while (reported < commits && ::read(ends[0], &byte, 1) == 1) ++reported;
  EXPECT_EQ(::kill(child, SIGKILL), 0);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  while (::read(ends[0], &byte, 1) == 1) ++reported;
  ::close(ends[0]);
  EXPECT_GE(reported, commits) << "the child ended before it was killed";
  return reported;
}

TEST_P(DurabilityTest, ProcessKilledInMidWriteLosesNoCommitAndLeavesNoHalfOne) {
  for (const int commits : {1, 7, 40, 150}) {
    const TemporaryFolder folder;
    const int reported = commits_reported_before_kill(GetParam(), folder, commits);
    const auto database = std::move(GetParam().open(folder).value());
    for (int i = 0; i <= reported; ++i) {
      const bool first = value_of(*database, "first " + std::to_string(i)).has_value();
      const bool second = value_of(*database, "second " + std::to_string(i)).has_value();
      ASSERT_EQ(first, second) << "half of transaction " << i;
      if (i < reported) ASSERT_TRUE(first) << "commit " << i << " of " << reported << " is lost";
    }
    EXPECT_TRUE(database->transact(increment)) << "the store goes on working";
  }
}

}  // namespace
}  // namespace gatehouse::store
