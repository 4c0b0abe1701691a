// Local rate limits: so many requests in a period for each user, bearer token, client address or
// value of a header, or for all together.
//
// The buckets are shared by all loops and live in a RateLimitTables, which the composition root
// makes once: a reload that leaves a rule as it is finds its buckets again. Each loop has its
// RateLimiter, a value, for the gateway and for each route that has rules.
//
// A request without what a rule counts by (no user, no bearer token, no such header) is counted by
// its client address, so that leaving it out is no way around. An IPv6 address counts as its /64,
// which is what one subscriber has. Tokens and header values are counted unverified: who makes up a
// new one each time is held by a rule for addresses only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/filters/keyed_hash.h"
#include "gateway/filters/token_buckets.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// Owns the buckets. Thread-safe. Outlives a configuration, not the limiters made from it.
class RateLimitTables {
 public:
  static constexpr std::size_t kKeys = 8 * 1024;  // of one rule: 128 KiB
  static constexpr std::size_t kRules = 1024;  // at once; a reload holds the old and the new ones

  explicit RateLimitTables(Entropy& entropy);

  /// The buckets of the rule with that identity; made if there are none, gone with the last who
  /// holds them. kExhausted if there are too many rules.
  Result<std::shared_ptr<TokenBuckets>> obtain(const std::string& identity, std::size_t keys);
  const HashKey& hash_key() const { return hash_key_; }

 private:
  HashKey hash_key_;
  std::mutex mutex_;  // on the way of a reload only
  std::map<std::string, std::weak_ptr<TokenBuckets>> buckets_;
};

class RateLimiter {
 public:
  /// When a rule can be asked: what counts by user needs the authorizer's verdict first; the others
  /// also protect the authorizer.
  enum class Stage { kBeforeVerdict, kAfterVerdict };

  /// `scope` tells whose rules they are: "gateway", or the route's name. kInvalid names the rule
  /// and its key, rate or burst; kExhausted if there are too many rules in all.
  static Result<RateLimiter> make(const std::vector<config::RateLimit>& settings,
                                  std::string_view scope, RateLimitTables& tables);

  /// No limits.
  RateLimiter() = default;

  bool empty() const { return rules_.empty(); }
  /// nullopt: the request may go on. Else how long until it might. `address` is the client's.
  /// Where several rules hold, the first that is passed is told, and those before have counted.
  std::optional<std::chrono::nanoseconds> over(Stage stage, const http::Request& request,
                                               std::string_view address, MonotonicTime now) const;

 private:
  enum class Key : std::uint8_t { kUser, kToken, kAddress, kAll, kHeader };
  struct Rule {
    Key key;
    std::string header;
    BucketRate rate;
    std::shared_ptr<TokenBuckets> buckets;
  };
  static Result<Rule> compile(const config::RateLimit& settings);
  std::uint64_t hash(const Rule& rule, const http::Request& request,
                     std::string_view address) const;

  HashKey hash_key_;
  std::vector<Rule> rules_;
};

/// 429 with Retry-After in whole seconds, at least 1 (RFC 6585 §4).
http::Response too_many_requests(const http::Request& request, std::chrono::nanoseconds wait);

}  // namespace gatehouse::gateway
