#include "gateway/upstream/service_addresses.h"

#include <algorithm>
#include <coroutine>
#include <utility>

#include "net/socket_address.h"

namespace gatehouse::gateway::upstream {
namespace {

using Lookup = net::Resolver::Lookup;

bool is_ipv6(const std::string& address) {
  return address.contains(':');
}

}  // namespace

/// Suspends until a try has ended.
class ServiceAddresses::Wait {
 public:
  explicit Wait(net::RunQueue& queue) : queue_(queue) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    resumption_.waiting = waiting;
    queue_.push_back(resumption_);
  }
  void await_resume() const noexcept {}

 private:
  net::RunQueue& queue_;
  net::Resumption resumption_;
};

ServiceAddresses::ServiceAddresses(net::Loop& loop, net::Resolver& resolver, Settings settings,
                                   Changed changed)
    : loop_(loop),
      resolver_(resolver),
      settings_(std::move(settings)),
      changed_(std::move(changed)),
      last_use_(loop.now()) {
  if (net::is_ip_address(settings_.host)) {
    state_ = State::kFixed;
    addresses_ = {settings_.host};
    changed_(addresses_);
  } else if (settings_.always_used) {
    start();
  }
}

void ServiceAddresses::start() {
  state_ = State::kAsking;
  task_.start(refresh(), [this] { state_ = State::kResting; });
}

Task<Result<void>> ServiceAddresses::first() {
  if (known()) co_return Result<void>();
  use();
  if (known()) co_return Result<void>();  // it took no waiting
  // Who comes while a name fails is told so; only after a while is it worth another try.
  if (state_ == State::kWaiting) {
    if (loop_.now() - failed_at_ < kFirstRetry) co_return std::unexpected(error_);
    start();
  }
  if (!known() && state_ == State::kAsking) {
    Wait wait(waiting_);
    co_await wait;
  }
  if (known()) co_return Result<void>();
  co_return std::unexpected(error_);
}

Task<void> ServiceAddresses::refresh() {
  const std::chrono::seconds max_age =
      settings_.respect_ttl ? net::Resolver::kLongestTtl : kFixedInterval;
  while (true) {
    state_ = State::kAsking;
    Result<Lookup> found = co_await resolver_.look_up(settings_.host, max_age);
    const std::chrono::milliseconds pause = take(std::move(found));
    state_ = State::kWaiting;
    while (net::Runnable* const waiting = waiting_.front()) loop_.schedule(*waiting);
    co_await loop_.sleep(pause);
    if (unused()) break;
  }
  state_ = State::kResting;
}

bool ServiceAddresses::unused() const {
  return !settings_.always_used && loop_.now() - last_use_ >= kUnusedAfter;
}

/// Returns when to ask again.
std::chrono::milliseconds ServiceAddresses::take(Result<Lookup> found) {
  Result<std::vector<std::string>> chosen =
      found ? choose(std::move(found->addresses)) : fail(std::move(found));
  if (!chosen) {
    error_ = std::move(chosen).error();
    failed_at_ = loop_.now();
    return std::exchange(next_retry_, std::min(2 * next_retry_, kLongestRetry));
  }
  error_.message.clear();
  next_retry_ = kFirstRetry;
  if (*chosen != addresses_) {
    addresses_ = *std::move(chosen);
    changed_(addresses_);
  }
  return settings_.respect_ttl ? found->ttl : kFixedInterval;
}

Result<std::vector<std::string>> ServiceAddresses::choose(std::vector<std::string> found) const {
  std::erase_if(found, [this](const std::string& address) {
    return is_ipv6(address) ? !settings_.ipv6 : !settings_.ipv4;
  });
  if (found.empty()) {
    return fail(ErrorCode::kNotFound, settings_.host +
                                          " has no address of the families that are "
                                          "switched on (ipv4, ipv6)");
  }
  if (settings_.logical) {
    const bool still = known() && std::ranges::find(found, addresses_.front()) != found.end();
    return std::vector{still ? addresses_.front() : found.front()};
  }
  std::ranges::sort(found);
  const auto repeated = std::ranges::unique(found);
  found.erase(repeated.begin(), repeated.end());
  if (found.size() > kLimit) found.resize(kLimit);
  return found;
}

}  // namespace gatehouse::gateway::upstream
