#include "gateway/filters/rate_limiter.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "gateway/error_page.h"
#include "http/address_set.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kHeaderPrefix = "header:";
constexpr std::string_view kBearer = "bearer ";
constexpr std::int64_t kRoomLimit = std::int64_t{1} << 62;

std::unexpected<Error> bad(const config::RateLimit& settings, std::string_view why) {
  return fail(ErrorCode::kInvalid, "rate limit by \"" + settings.key + "\": " + std::string(why));
}

/// All that makes a rule what it is: one that differs has buckets of its own.
std::string identity_of(const config::RateLimit& settings, std::string_view scope) {
  return std::string(scope) + '\n' + settings.key + '\n' + std::to_string(settings.requests) + '/' +
         std::to_string(settings.period.count()) + '/' + std::to_string(settings.burst);
}

std::string_view bearer_token(const http::Headers& headers) {
  const std::string_view value = headers.get("Authorization").value_or("");
  const bool bearer = value.size() > kBearer.size() &&
                      http::equal_ignoring_case(value.substr(0, kBearer.size()), kBearer);
  return bearer ? http::trim(value.substr(kBearer.size())) : std::string_view();
}

std::string_view view_of(const http::Address& address, std::size_t length) {
  return {reinterpret_cast<const char*>(address.data()), length};
}

std::uint64_t hash_address(const HashKey& key, std::string_view text) {
  const std::optional<http::Address> address = http::parse_address(text);
  if (!address) return keyed_hash(key, text);
  return keyed_hash(key, view_of(*address, http::is_ipv4(*address) ? 16 : 8));
}

}  // namespace

RateLimitTables::RateLimitTables(Entropy& entropy) {
  std::array<std::uint8_t, sizeof hash_key_> bytes{};
  entropy.fill(bytes);
  std::memcpy(&hash_key_, bytes.data(), bytes.size());
}

Result<std::shared_ptr<TokenBuckets>> RateLimitTables::obtain(const std::string& identity,
                                                              std::size_t keys) {
  const std::lock_guard lock(mutex_);
  std::erase_if(buckets_, [](const auto& entry) { return entry.second.expired(); });
  const auto found = buckets_.find(identity);
  if (found != buckets_.end()) {
    if (std::shared_ptr<TokenBuckets> buckets = found->second.lock()) return buckets;
  }
  if (buckets_.size() >= kRules) {
    return fail(ErrorCode::kExhausted,
                "there are more than " + std::to_string(kRules) + " rate limits in all");
  }
  auto buckets = std::make_shared<TokenBuckets>(keys);
  buckets_[identity] = buckets;
  return buckets;
}

Result<RateLimiter::Rule> RateLimiter::compile(const config::RateLimit& settings) {
  Rule rule{};
  const std::string_view key = settings.key;
  if (key == "user") {
    rule.key = Key::kUser;
  } else if (key == "token") {
    rule.key = Key::kToken;
  } else if (key == "address") {
    rule.key = Key::kAddress;
  } else if (key == "all") {
    rule.key = Key::kAll;
  } else if (key.starts_with(kHeaderPrefix) && http::is_token(key.substr(kHeaderPrefix.size()))) {
    rule.key = Key::kHeader;
    rule.header = key.substr(kHeaderPrefix.size());
  } else {
    return bad(settings, "key is one of user, token, address, all, header:<name>");
  }
  const auto period = std::chrono::nanoseconds(settings.period);
  if (settings.requests == 0) return bad(settings, "requests must be at least 1");
  if (settings.period.count() <= 0) return bad(settings, "period must be at least 1 ms");
  if (settings.period > std::chrono::hours(24)) return bad(settings, "period is over a day");
  const auto interval = period.count() / static_cast<std::int64_t>(std::min<std::size_t>(
                                             settings.requests, std::size_t{1} << 62));
  if (interval == 0) return bad(settings, "more requests than nanoseconds in the period");
  rule.rate.interval = std::chrono::nanoseconds(interval);
  rule.rate.burst = settings.burst == 0 ? settings.requests : settings.burst;
  if (rule.rate.burst > static_cast<std::size_t>(kRoomLimit / interval)) {
    return bad(settings, "burst is too large");
  }
  return rule;
}

Result<RateLimiter> RateLimiter::make(const std::vector<config::RateLimit>& settings,
                                      std::string_view scope, RateLimitTables& tables) {
  RateLimiter out;
  out.hash_key_ = tables.hash_key();
  for (const config::RateLimit& one : settings) {
    Result<Rule> rule = compile(one);
    if (!rule) return fail(std::move(rule));
    const bool single = rule->key == Key::kAll;
    auto buckets = tables.obtain(identity_of(one, scope), single ? 1 : RateLimitTables::kKeys);
    if (!buckets) return fail(std::move(buckets));
    const bool twice = std::ranges::any_of(
        out.rules_, [&](const Rule& other) { return other.buckets == *buckets; });
    if (twice) return bad(one, "the same rule is there twice");
    rule->buckets = *std::move(buckets);
    out.rules_.push_back(*std::move(rule));
  }
  return out;
}

std::uint64_t RateLimiter::hash(const Rule& rule, const http::Request& request,
                                std::string_view address) const {
  std::string_view value;
  switch (rule.key) {
    case Key::kAll:
      return 1;
    case Key::kAddress:
      break;
    case Key::kUser:
      value = request.trace.user;
      break;
    case Key::kToken:
      value = bearer_token(request.headers);
      break;
    case Key::kHeader:
      value = request.headers.get(rule.header).value_or("");
      break;
  }
  return value.empty() ? hash_address(hash_key_, address) : keyed_hash(hash_key_, value);
}

std::optional<std::chrono::nanoseconds> RateLimiter::over(Stage stage, const http::Request& request,
                                                          std::string_view address,
                                                          MonotonicTime now) const {
  for (const Rule& rule : rules_) {
    if ((rule.key == Key::kUser) != (stage == Stage::kAfterVerdict)) continue;
    const std::chrono::nanoseconds wait =
        rule.buckets->take(hash(rule, request, address), rule.rate, now);
    if (wait.count() > 0) return wait;
  }
  return std::nullopt;
}

http::Response too_many_requests(const http::Request& request, std::chrono::nanoseconds wait) {
  http::Response response =
      error_page(request, 429, "There were too many requests. Try again in a moment.");
  const auto whole = std::chrono::ceil<std::chrono::seconds>(wait).count();
  response.headers.set("Retry-After", std::to_string(std::max<long long>(whole, 1)));
  return response;
}

}  // namespace gatehouse::gateway
