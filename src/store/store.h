// The storage contract for code that runs on an event loop.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/blocking_pool.h"
#include "base/executor.h"
#include "base/task.h"
#include "store/contract.h"

namespace gatehouse::store {

/// One a loop; all share one thread around one database.
class Store {
 public:
  /// `thread` is a pool of exactly one thread, on which alone `database` is used.
  Store(Executor& home, BlockingPool& thread, Database& database)
      : home_(home), thread_(thread), database_(database) {}

  /// Runs `work(Transaction&)`, which returns Result<T>, as one transaction on the database's
  /// thread; the awaiter goes on on this store's loop. `work` must own what it uses. Errors: those
  /// of `work`, of the commit, and kExhausted when too much waits.
  template <class Work, class R = std::invoke_result_t<Work&, Transaction&>>
  Task<R> transact(Work work);

 private:
  Executor& home_;
  BlockingPool& thread_;
  Database& database_;
};

/// The same without a thread: for commands and tests.
template <class Work, class R = std::invoke_result_t<Work&, Transaction&>>
R transact_now(Database& database, Work work) {
  std::optional<R> result;
  const Result<void> done = database.transact([&](Transaction& transaction) -> Result<void> {
    result.emplace(work(transaction));
    if (!*result) return std::unexpected(result->error());
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return std::move(*result);
}

template <class Work, class R>
Task<R> Store::transact(Work work) {
  auto job = [&database = database_, work = std::move(work)]() mutable -> R {
    return transact_now(database, std::move(work));
  };
  R value = co_await thread_.run(home_, std::move(job));
  co_return value;
}

}  // namespace gatehouse::store
