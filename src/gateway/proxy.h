// The way of a request through the gateway, with all that it meets given from outside.
//
// name it → address rules, host policy → route → CORS preflight, redirect, limits → may it pass? →
// limits by user → who the user is, header edits, rewrite → local handler or upstream → check the
// answer → error overrides, header edits, CORS. Whatever fails on the way denies. The answer of an
// upstream that is cut short reaches the server as a body whose read() fails, so that the client
// sees it cut short too.
//
// The request itself stays as the client sent it: what goes on is a copy, so that logs, answers'
// templates and the recheck see the original.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "gateway/compiled_gateway.h"
#include "gateway/filters/shadow.h"
#include "gateway/forwarded.h"
#include "gateway/identity_headers.h"
#include "gateway/observe/tracing.h"
#include "gateway/recheck.h"
#include "gateway/upstream/cluster.h"
#include "gateway/upstream/random_sequence.h"
#include "http/authorizer.h"
#include "http/message.h"
#include "net/loop.h"
#include "net/spare.h"

namespace gatehouse::gateway {

/// Where a route leads: one of the two at most is not null. Neither: its service cannot be, and it
/// answers 503.
struct Destination {
  http::Handler* local = nullptr;
  std::shared_ptr<upstream::Cluster> cluster;
};

/// What a reload puts in place as a whole. Exchanges under way keep what they began with.
struct InForce {
  std::shared_ptr<const CompiledGateway> gateway;
  std::shared_ptr<http::Authorizer> authorizer;
  IdentityHeaders identity;
  std::vector<Destination> destinations;  // of the routes, in their order
  std::shared_ptr<Tracing> tracing;       // of the loop; null: off
};

class Proxy final : public http::Handler {
 public:
  struct Parts {
    net::Loop& loop;
    Entropy& entropy;
    RequestIds ids;
    std::shared_ptr<spdlog::logger> log;  // may be null
  };
  Proxy(Parts parts, std::shared_ptr<const InForce> in_force);

  /// For requests that begin from now on. What is open is judged again by the new authorizer.
  void use(std::shared_ptr<const InForce> in_force);
  const InForce& in_force() const { return *in_force_; }

  Task<http::Response> handle(http::Request& request) override;
  OpenExchanges& open_exchanges() { return open_; }

 private:
  struct Exchange;
  /// Why the gateway answers by itself.
  struct Refusal {
    int status;
    std::string_view failure;  // for log and metrics
    std::string_view what;     // for the client
  };
  static constexpr Refusal kMethodRefused{405, "method", "This method is not allowed here."};
  /// nullopt: go on.
  using Answer = std::optional<http::Response>;

  // Before anybody is asked.
  Answer begin(Exchange& exchange);
  Answer check_host(const Exchange& exchange) const;
  Answer choose(Exchange& exchange) const;
  Answer answer_by_route(Exchange& exchange) const;
  Answer refuse_connect(const Exchange& exchange) const;
  Answer limit(const Exchange& exchange, RateLimiter::Stage stage) const;

  // Who may pass.
  Task<Answer> ask(Exchange& exchange);
  Answer admit(Exchange& exchange);
  double share_of(const std::string& user);

  // On to the service.
  static bool may_be_sent_twice(const Exchange& exchange);
  Task<Answer> read_body(Exchange& exchange) const;
  Answer prepare(Exchange& exchange);
  static void strip_credentials(const Exchange& exchange);
  Result<void> write_headers(Exchange& exchange) const;
  void send_to_shadows(const Exchange& exchange);
  upstream::SendOptions send_options(const Exchange& exchange) const;
  http::Response take(Exchange& exchange, Result<http::Response> answer) const;

  // Back to the client.
  static void bring_trace_back(Exchange& exchange);
  void finish(Exchange& exchange, http::Response& response);

  http::Response refuse(http::Request& request, const Refusal& refusal) const;
  http::Response judge_failed(const Exchange& exchange, const Error& error) const;
  http::Response upstream_failed(const Exchange& exchange, const Error& error) const;
  void warn(const http::Request& request, std::string_view who, const Error& error) const;

  static constexpr std::size_t kSpareRequests = 256;

  const http::Allow unasked_;
  Parts parts_;
  std::shared_ptr<const InForce> in_force_;
  OpenExchanges open_;
  ShadowRuns shadows_;
  upstream::RandomSequence random_;
  net::Spare<http::Request> spare_;
};

}  // namespace gatehouse::gateway
