// What has to be done from time to time: signing keys made and changed over, expired rows removed.
#pragma once

#include "base/clock.h"
#include "base/executor.h"
#include "base/task.h"
#include "identity/shared.h"
#include "store/store.h"

namespace gatehouse::identity {

/// Rows removed in one transaction, so that logins do not wait for long behind one.
inline constexpr std::size_t kSweepStep = 500;
/// Transactions in one call: what is left goes next time.
inline constexpr int kSweepSteps = 40;

/// Loads the keys, also those that another replica made, and makes what is missing on the pool. The
/// snapshot in force stays if anything fails.
Task<void> renew_keys(SharedState& shared, Executor& home, store::Store& store, const Clock& clock);

Task<void> sweep(store::Store& store, const Clock& clock);

}  // namespace gatehouse::identity
