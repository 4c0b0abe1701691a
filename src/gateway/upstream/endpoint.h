// One address of a service: its client, what is known of its health, what is under way there.
//
// Of one loop. Shared by its cluster and by the requests under way, which outlive a change of the
// addresses.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "gateway/upstream/health_check.h"
#include "gateway/upstream/outlier_detector.h"
#include "net/http_client.h"

namespace gatehouse::gateway::upstream {

struct Endpoint {
  std::string address;  // an IP address
  std::string name;     // with its port, as it is shown and hashed
  std::unique_ptr<net::HttpClient> client;
  std::vector<std::unique_ptr<HealthCheck>> checks;

  std::size_t active = 0;  // requests, their answers' bodies included
  std::uint64_t requests = 0, failures = 0;
  std::string last_error;

  OutlierDetector::Record outlier;
  /// After a connection could not be made: passed over until then, longer from time to time.
  std::optional<MonotonicTime> refused_until;
  std::chrono::milliseconds refused_for{0};

  /// What the active checks say; true if there are none.
  bool healthy() const {
    for (const auto& check : checks) {
      if (check->entry().health() == HealthBoard::Health::kUnhealthy) return false;
    }
    return true;
  }
};

using EndpointPtr = std::shared_ptr<Endpoint>;

/// The addresses that a request has been sent to: a retry goes to another one if there is one.
class Tried {
 public:
  /// A name with more addresses is not tried to its end for one request.
  static constexpr std::size_t kLimit = 4;

  void add(const Endpoint& endpoint) {
    if (count_ < kLimit && !contains(endpoint)) endpoints_[count_++] = &endpoint;
  }
  bool contains(const Endpoint& endpoint) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (endpoints_[i] == &endpoint) return true;
    }
    return false;
  }
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kLimit; }

 private:
  std::array<const Endpoint*, kLimit> endpoints_{};  // compared only
  std::size_t count_ = 0;
};

/// A request or connection under way at an address; ends when it goes. Keeps the endpoint alive.
class Use {
 public:
  explicit Use(EndpointPtr endpoint) : endpoint_(std::move(endpoint)) { ++endpoint_->active; }
  Use(Use&&) = default;
  Use& operator=(Use&&) = delete;
  ~Use() {
    if (endpoint_) --endpoint_->active;
  }

  Endpoint& operator*() const { return *endpoint_; }
  Endpoint* operator->() const { return endpoint_.get(); }

 private:
  EndpointPtr endpoint_;
};

}  // namespace gatehouse::gateway::upstream
