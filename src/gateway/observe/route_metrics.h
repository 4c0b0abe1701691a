// Counters and a histogram of exchanges by route, status code and reason of failure.
//
// A loop counts in a shard of its own, without locks on the way of a request. Labels are bounded:
// names of routes by the configuration and a limit, codes and reasons by lists.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/observe/count.h"
#include "gateway/observe/counts_by_route.h"
#include "gateway/observe/families.h"
#include "net/http_server.h"

namespace gatehouse::gateway {

/// Status codes with a label of their own; each class has one more for its other codes, and one
/// stands for connections that broke before there was an answer.
inline constexpr std::array<std::uint16_t, 32> kLabelledCodes = {
    101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404,
    405, 406, 408, 409, 410, 412, 413, 415, 421, 422, 429, 431, 500, 502, 503, 504};
inline constexpr std::size_t kCodeSlots = kLabelledCodes.size() + 6;

/// Upper bounds in microseconds; one bucket more has none.
inline constexpr std::array<std::uint64_t, 13> kDurationBounds = {
    100,    250,     500,     1'000,     2'500,     5'000,     10'000,
    50'000, 100'000, 500'000, 1'000'000, 5'000'000, 30'000'000};

/// What the gateway says in a request's trace; what others say counts as the last.
inline constexpr std::array<std::string_view, 22> kFailureReasons = {"denied",
                                                                     "authorizer",
                                                                     "authorizer let pass",
                                                                     "no route",
                                                                     "ambiguous path",
                                                                     "method",
                                                                     "misdirected",
                                                                     "insecure",
                                                                     "no host",
                                                                     "address",
                                                                     "upgrade",
                                                                     "body too long",
                                                                     "request body",
                                                                     "rate limit",
                                                                     "no service",
                                                                     "upstream timeout",
                                                                     "upstream unavailable",
                                                                     "upstream invalid",
                                                                     "upstream exhausted",
                                                                     "cancelled",
                                                                     "http/1.0",
                                                                     "other"};

/// Of one loop.
class RouteShard final : public net::ExchangeObserver {
 public:
  /// At most `limit` names have labels; exchanges of the rest count under "other".
  explicit RouteShard(std::size_t limit) : routes_(limit) {}

  /// As CountsByRoute::set_routes().
  void set_routes(const std::vector<std::string>& names) { routes_.set_routes(names); }
  void ended(const net::Exchange& exchange) override;

  struct RouteSums {
    std::array<std::uint64_t, kCodeSlots> codes{};
    std::array<std::uint64_t, kDurationBounds.size() + 1> buckets{};
    std::uint64_t microseconds = 0, received = 0, sent = 0, incomplete = 0;
  };
  struct Sums {
    std::map<std::string, RouteSums> routes;
    std::array<std::uint64_t, kFailureReasons.size()> failures{};
  };
  /// From any thread.
  void add_to(Sums& sums) const;

 private:
  struct RouteCounts {
    std::array<Count, kCodeSlots> codes;
    std::array<Count, kDurationBounds.size() + 1> buckets;
    Count microseconds, received, sent, incomplete;

    void add_to(RouteSums& sums) const;
  };

  CountsByRoute<RouteCounts> routes_;
  std::array<Count, kFailureReasons.size()> failures_;
};

/// The families of these sums.
void append_routes(Families& families, const RouteShard::Sums& sums);

}  // namespace gatehouse::gateway
