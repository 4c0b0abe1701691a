// Which sessions ended before their time, known to every loop without I/O.
//
// The process keeps one list; each loop keeps a set of its own and reads on in the list only when
// an atomic epoch has moved, so that a check costs one load while nobody signs out. The list is fed
// by the store's revocation log (other replicas, and everything before a restart) and directly by
// a logout in this process. Entries go when their session would have expired anyway.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/contract.h"

namespace gatehouse::gatekeeper {

/// Thread-safe.
class Revocations {
 public:
  /// From now on the session is refused on every loop of this process.
  void add(std::string_view session, WallTime expires);

  /// Reads what the store's log has beyond what was read; on the database's thread.
  Result<void> poll(store::Transaction& transaction);

  /// Drops what expired.
  void forget(WallTime now);

  std::size_t size() const;

 private:
  friend class RevocationView;
  struct Entry {
    std::string session;
    WallTime expires;
  };

  std::atomic<std::uint64_t> epoch_{0};
  mutable std::mutex mutex_;
  std::vector<Entry> list_;         // all below under mutex_
  std::uint64_t generation_ = 0;    // moves when entries went: views read all anew
  std::int64_t last_sequence_ = 0;  // of the store's log
};

/// One a loop.
class RevocationView {
 public:
  explicit RevocationView(const Revocations& shared) : shared_(shared) {}
  bool contains(std::string_view session);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  void catch_up(std::uint64_t epoch);

  const Revocations& shared_;
  std::uint64_t epoch_ = 0;
  std::uint64_t generation_ = 0;
  std::size_t read_ = 0;  // entries of the list that are in the set
  std::unordered_set<std::string, Hash, std::equal_to<>> sessions_;
};

}  // namespace gatehouse::gatekeeper
