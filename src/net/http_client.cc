#include "net/http_client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "net/client_exchange.h"
#include "net/connection_pool.h"
#include "net/http2/client_connection.h"
#include "net/http2/client_stream.h"

namespace gatehouse::net {
namespace {

// A name with more addresses than that is not tried to its end for one request.
constexpr std::size_t kAddressesTried = 4;

class PooledHttpClient final : public HttpClient {
 public:
  PooledHttpClient(Loop& loop, Resolver& resolver, http::Url origin, ClientOptions options)
      : loop_(loop),
        resolver_(resolver),
        origin_(std::move(origin)),
        options_(std::move(options)),
        pool_(std::make_shared<ConnectionPool>(
            loop, ConnectionPool::Options{.idle_limit = options_.idle_connections,
                                          .connection_limit = options_.connections,
                                          .idle_timeout = options_.pool_idle_timeout,
                                          .lifetime = options_.connection_lifetime,
                                          .shared = options_.shared_counts})),
        http2_(std::make_shared<http2::ClientPool>(
            loop, http2::ClientPool::Options{.limits = options_.limits,
                                             .idle_timeout = options_.pool_idle_timeout,
                                             .lifetime = options_.connection_lifetime})) {}

  Task<Result<http::Response>> send(http::Request& request) override {
    return send(request, {.response = options_.response_timeout, .idle = options_.idle_timeout},
                nullptr);
  }
  Task<Result<http::Response>> send(http::Request& request, Timeouts timeouts,
                                    Progress* progress) override;
  std::size_t connections() const override { return pool_->open(); }
  bool close_idle() override { return pool_->close_idle() || http2_->close_idle(); }

 private:
  using Connection = ConnectionPool::Connection;
  /// A connection to send on: one of the two.
  struct Way {
    std::unique_ptr<Connection> http1;
    std::shared_ptr<http2::ClientConnection> http2;
  };
  /// How a try went that failed.
  struct Outcome {
    Progress progress = Progress::kSent;
    bool may_retry = false;
  };
  class Opening;

  Task<Result<Way>> find_way(bool retrying);
  Way way_that_is_open(bool retrying);
  Task<Result<Way>> open();
  bool may_speak_http2() const;
  Task<Result<http::Response>> start_http1(std::optional<ClientExchange>& exchange,
                                           http::Request& request, Timeouts timeouts,
                                           std::unique_ptr<Connection> connection);
  static Outcome outcome_of(const ClientExchange& exchange, const Result<http::Response>& response);
  Task<Result<http::Response>> send_http2(http::Request& request, Timeouts timeouts,
                                          std::shared_ptr<http2::ClientConnection> connection,
                                          Outcome& outcome);
  Task<Result<std::unique_ptr<Stream>>> connect_to_any();
  Task<Result<std::unique_ptr<Stream>>> connect_to(const std::string& address);

  Loop& loop_;
  Resolver& resolver_;
  const http::Url origin_;
  const ClientOptions options_;
  std::shared_ptr<ConnectionPool> pool_;
  std::shared_ptr<http2::ClientPool> http2_;
  bool opening_ = false;       // of a connection that may serve many
  bool speaks_http1_ = false;  // as ALPN has it
  http2::Signal opened_;
  std::optional<Error> open_failure_;  // of the last one
  http1::ResponseHead head_;           // scratch
  std::size_t first_address_ = 0;      // moves on, so that all addresses get their share
};

bool is_cancelled(const http::Request& request) {
  return request.cancellation != nullptr && request.cancellation->cancelled();
}

/// While it lives, others wait for its connection rather than open one each.
class PooledHttpClient::Opening {
 public:
  explicit Opening(PooledHttpClient& client) : client_(client) { client_.opening_ = true; }
  ~Opening() {
    client_.opening_ = false;
    client_.opened_.wake(client_.loop_);
  }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

 private:
  PooledHttpClient& client_;
};

Task<Result<http::Response>> PooledHttpClient::send(http::Request& request, Timeouts timeouts,
                                                    Progress* progress) {
  if (progress != nullptr) *progress = Progress::kUnsent;
  if (request.authority.empty()) request.authority = origin_.authority();
  for (bool retrying = false;; retrying = true) {
    Way way = way_that_is_open(retrying);
    if (!way.http1 && !way.http2) {
      Result<Way> found = co_await find_way(retrying);
      if (!found) co_return fail(std::move(found));
      way = *std::move(found);
    }
    if (is_cancelled(request)) {
      co_return fail(ErrorCode::kCancelled, "nobody waits for the answer any more");
    }
    Outcome outcome;
    std::optional<ClientExchange> http1;
    Task<Result<http::Response>> sending =
        way.http2 ? send_http2(request, timeouts, std::move(way.http2), outcome)
                  : start_http1(http1, request, timeouts, std::move(way.http1));
    Result<http::Response> response = co_await std::move(sending);
    if (http1) outcome = outcome_of(*http1, response);
    if (response) co_return response;
    // Who asks how far it came sends again by itself what was refused, if it has all of it.
    const bool left_to_caller =
        progress != nullptr && outcome.progress == Progress::kRefused && !request.body.stream;
    if (retrying || !outcome.may_retry || left_to_caller) {
      if (progress != nullptr) *progress = outcome.progress;
      co_return response;
    }
  }
}

/// A coroutine more would cost each request its frame.
Task<Result<http::Response>> PooledHttpClient::start_http1(std::optional<ClientExchange>& exchange,
                                                           http::Request& request,
                                                           Timeouts timeouts,
                                                           std::unique_ptr<Connection> connection) {
  exchange.emplace(loop_, pool_, options_.limits, head_, request, timeouts, std::move(connection));
  return exchange->run();
}

PooledHttpClient::Outcome PooledHttpClient::outcome_of(const ClientExchange& exchange,
                                                       const Result<http::Response>& response) {
  Outcome outcome;
  outcome.may_retry = !response && exchange.may_retry();
  if (exchange.anything_came()) outcome.progress = Progress::kAnswered;
  return outcome;
}

Task<Result<http::Response>> PooledHttpClient::send_http2(
    http::Request& request, Timeouts timeouts, std::shared_ptr<http2::ClientConnection> connection,
    Outcome& outcome) {
  const bool reused = connection->used();
  http2::Attempt attempt;
  Result<http::Response> response =
      co_await http2::exchange(std::move(connection), request, timeouts, origin_.scheme, attempt);
  if (response) co_return response;
  const bool lost_unanswered = attempt.lost && reused && !attempt.anything_came &&
                               !request.body.stream && request.upgrade.empty() &&
                               may_repeat(request);
  outcome.may_retry = (attempt.refused && attempt.body_untouched) || lost_unanswered;
  if (attempt.anything_came) outcome.progress = Progress::kAnswered;
  if (attempt.refused) outcome.progress = Progress::kRefused;
  co_return response;
}

bool PooledHttpClient::may_speak_http2() const {
  switch (options_.protocol) {
    case ClientOptions::Protocol::kHttp1:
      return false;
    case ClientOptions::Protocol::kHttp2:
      return true;
    case ClientOptions::Protocol::kByAlpn:
      return origin_.scheme == "https" && !speaks_http1_;
  }
  return false;
}

PooledHttpClient::Way PooledHttpClient::way_that_is_open(bool retrying) {
  Way way;
  if (options_.protocol != ClientOptions::Protocol::kHttp1) way.http2 = http2_->find();
  const bool may_be_http1 = options_.protocol != ClientOptions::Protocol::kHttp2;
  if (!way.http2 && may_be_http1 && !retrying) way.http1 = pool_->take_idle();
  return way;
}

Task<Result<PooledHttpClient::Way>> PooledHttpClient::find_way(bool retrying) {
  for (;;) {
    Way way = way_that_is_open(retrying);
    if (way.http1 || way.http2) co_return way;
    if (!may_speak_http2()) break;
    if (!opening_) {
      const Opening opening(*this);
      Result<Way> opened = co_await open();
      open_failure_.reset();
      if (!opened) open_failure_ = opened.error();
      co_return opened;
    }
    co_await opened_;
    // Who has waited for it shares its failure, rather than try the same after it.
    if (!opening_ && open_failure_) co_return std::unexpected(*open_failure_);
  }
  Result<Way> opened = co_await open();
  co_return opened;
}

/// The one place that chooses a protocol.
Task<Result<PooledHttpClient::Way>> PooledHttpClient::open() {
  Result<ConnectionPool::Place> place = pool_->reserve();
  if (!place) co_return fail(std::move(place));
  const auto waiting = WaitingRequest::enter(options_.shared_counts.get());
  if (!waiting) co_return fail(ErrorCode::kExhausted, "too many requests wait for a connection");
  Result<std::unique_ptr<Stream>> stream = co_await connect_to_any();
  if (!stream) co_return std::unexpected(std::move(stream).error().in(origin_.origin()));
  const bool must = options_.protocol == ClientOptions::Protocol::kHttp2;
  const bool chosen = (*stream)->protocol() == "h2" && may_speak_http2();
  if (must && !chosen && (*stream)->secure()) {
    co_return fail(ErrorCode::kUnavailable, origin_.origin() + ": does not speak HTTP/2");
  }
  Way way;
  if (must || chosen) {
    way.http2 = http2_->adopt(*std::move(place), *std::move(stream));
  } else {
    speaks_http1_ = true;
    way.http1 = pool_->adopt(*std::move(place), *std::move(stream));
  }
  co_return way;
}

Task<Result<std::unique_ptr<Stream>>> PooledHttpClient::connect_to_any() {
  if (!options_.address.empty()) {
    Result<std::unique_ptr<Stream>> stream = co_await connect_to(options_.address);
    co_return stream;
  }
  Result<std::vector<std::string>> addresses = co_await resolver_.resolve(origin_.host);
  if (!addresses) co_return fail(std::move(addresses));
  const std::size_t first = first_address_++;
  Error last{ErrorCode::kUnavailable, "the name has no address"};
  for (std::size_t i = 0; i < std::min(addresses->size(), kAddressesTried); ++i) {
    const std::string& address = (*addresses)[(first + i) % addresses->size()];
    Result<std::unique_ptr<Stream>> stream = co_await connect_to(address);
    if (stream) co_return stream;
    last = std::move(stream).error();
  }
  co_return std::unexpected(std::move(last));
}

Task<Result<std::unique_ptr<Stream>>> PooledHttpClient::connect_to(const std::string& address) {
  const bool secure = origin_.scheme == "https";
  if (secure && !options_.tls) {
    co_return fail(ErrorCode::kInvalid, "an https origin needs TLS settings");
  }
  ConnectOptions options;
  options.timeout = options_.connect_timeout;
  options.keep_alive = options_.keep_alive;
  if (secure) options.tls = options_.tls;
  switch (options_.protocol) {
    case ClientOptions::Protocol::kHttp1:
      break;
    case ClientOptions::Protocol::kHttp2:
      options.alpn = {"h2"};
      break;
    case ClientOptions::Protocol::kByAlpn:
      options.alpn = {"h2", "http/1.1"};
      break;
  }
  options.server_name = options_.server_name.empty() ? origin_.host : options_.server_name;
  Result<std::unique_ptr<Stream>> stream =
      co_await connect(loop_, address, origin_.port, std::move(options));
  co_return stream;
}

}  // namespace

std::unique_ptr<HttpClient> HttpClient::make(Loop& loop, Resolver& resolver, http::Url origin,
                                             ClientOptions options) {
  return std::make_unique<PooledHttpClient>(loop, resolver, std::move(origin), std::move(options));
}

}  // namespace gatehouse::net
