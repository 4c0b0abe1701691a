// The addresses of a service, kept fresh in the background.
//
// A name is first looked up when it is first used, and then again whenever its TTL ends, for as
// long as it is in use; a service that nobody asks for costs no query. While DNS fails, or says
// that the name is gone, the last good addresses stay: an outage of DNS is none of the service
// (Emissary issue 5685). Of one loop.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "net/loop.h"
#include "net/running_task.h"
#include "net/tcp.h"

namespace gatehouse::gateway::upstream {

class ServiceAddresses {
 public:
  /// More addresses of one name than that are left out.
  static constexpr std::size_t kLimit = 1'024;
  /// How often a name is asked for whose TTL is not to be respected.
  static constexpr std::chrono::seconds kFixedInterval{5};
  /// A name that nobody has used for so long is not asked for any more until somebody does.
  static constexpr std::chrono::seconds kUnusedAfter{600};
  /// Between tries while DNS fails, doubled from the one to the other.
  static constexpr std::chrono::seconds kFirstRetry{1}, kLongestRetry{30};

  struct Settings {
    std::string host;  // a name or an IP address
    bool respect_ttl = true;
    bool ipv4 = true, ipv6 = true;
    bool logical = false;      // one address: the one in use if the name still has it
    bool always_used = false;  // does not wait for use()
  };
  /// Called with the addresses, sorted, not empty, when they have changed; not within a call of
  /// this object but for its constructor.
  using Changed = std::function<void(const std::vector<std::string>&)>;

  /// `resolver` outlives this.
  ServiceAddresses(net::Loop& loop, net::Resolver& resolver, Settings settings, Changed changed);

  /// There are addresses.
  bool known() const { return !addresses_.empty(); }
  /// They are needed now: to be called for each request; costs next to nothing.
  void use() {
    last_use_ = loop_.now();
    if (state_ == State::kResting) start();
  }
  /// Waits until the first addresses are known; at once if they are. Fails as the resolver does,
  /// or kNotFound if there are none of the wanted family.
  Task<Result<void>> first();

  /// Why the last try failed; "" if it did not.
  const std::string& error() const { return error_.message; }

 private:
  enum class State { kFixed, kResting, kAsking, kWaiting };
  class Wait;

  void start();
  Task<void> refresh();
  std::chrono::milliseconds take(Result<net::Resolver::Lookup> found);
  Result<std::vector<std::string>> choose(std::vector<std::string> found) const;
  bool unused() const;

  net::Loop& loop_;
  net::Resolver& resolver_;
  const Settings settings_;
  const Changed changed_;
  std::vector<std::string> addresses_;
  State state_ = State::kResting;
  MonotonicTime last_use_{}, failed_at_{};
  std::chrono::seconds next_retry_ = kFirstRetry;
  Error error_{ErrorCode::kUnavailable, ""};
  net::RunQueue waiting_;
  net::RunningTask task_;
};

}  // namespace gatehouse::gateway::upstream
