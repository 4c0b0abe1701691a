// What the operations page shows of a cluster: values, gathered on its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse::gateway::upstream {

struct EndpointStatus {
  std::string address;   // "192.0.2.1:8080"
  bool healthy = true;   // by active checks; true if there are none, or none has ended
  bool ejected = false;  // by outlier detection
  bool refused = false;  // could not be connected to lately, and is passed over for a while
  std::size_t active_requests = 0;
  std::size_t connections = 0;  // idle ones included
  std::uint64_t requests = 0;   // attempts, since the address is known
  std::uint64_t failures = 0;   // of these: without an answer, or answered 5xx
  std::string last_error;       // of a request or a check; "" if there was none
};

struct BreakerStatus {
  std::size_t limit = 0;  // 0: none
  std::size_t now = 0;
  std::uint64_t refused = 0;  // how often it was open for somebody
};

struct ClusterStatus {
  std::string service;
  std::vector<EndpointStatus> endpoints;
  /// Why there are no addresses, or why those there are could not be asked for again.
  std::string dns_error;
  /// Fewer than half of the addresses are well, so all are used.
  bool panic = false;
  BreakerStatus connections, pending, requests, retries;
  /// Of all addresses that there have been: these only grow.
  std::uint64_t attempts = 0;
  std::uint64_t failed_attempts = 0;  // without an answer, or answered 5xx
  std::uint64_t retried = 0;          // attempts after a request's first
};

}  // namespace gatehouse::gateway::upstream
