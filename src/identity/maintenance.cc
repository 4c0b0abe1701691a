#include "identity/maintenance.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace gatehouse::identity {

Task<void> renew_keys(SharedState& shared, Executor& home, store::Store& store,
                      const Clock& clock) {
  MadeKeys made;
  for (int i = 0; i < kKeyPassLimit; ++i) {
    auto pass_over = [&shared, made, now = clock.now()](store::Transaction& transaction) {
      return pass_over_keys(transaction, shared.vault(), made, shared.rotation_times(), now);
    };
    const Result<KeyPass> pass = co_await store.transact(std::move(pass_over));
    if (!pass) {
      spdlog::error("identity: the signing keys could not be read: {}", pass.error().message);
      co_return;
    }
    shared.keys().publish(pass->keys);
    if (pass->missing.empty()) co_return;
    auto make = [missing = pass->missing] { return make_keys(missing); };
    Result<MadeKeys> more = co_await shared.pool().run(home, std::move(make));
    if (!more) {
      spdlog::error("identity: a signing key could not be made: {}", more.error().message);
      co_return;
    }
    made = std::move(*more);
  }
}

Task<void> sweep(store::Store& store, const Clock& clock) {
  for (int i = 0; i < kSweepSteps; ++i) {
    auto collect = [now = clock.now()](store::Transaction& transaction) {
      return transaction.collect_expired(now, kSweepStep);
    };
    const Result<std::size_t> collected = co_await store.transact(std::move(collect));
    if (!collected) {
      spdlog::error("identity: expired rows could not be removed: {}", collected.error().message);
      co_return;
    }
    if (*collected < kSweepStep) co_return;
  }
}

}  // namespace gatehouse::identity
