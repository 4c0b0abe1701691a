#include "net/http_client.h"

#include <algorithm>
#include <utility>

#include "net/client_exchange.h"
#include "net/connection_pool.h"

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
                                          .shared = options_.shared_counts})) {}

  Task<Result<http::Response>> send(http::Request& request) override {
    return send(request, {.response = options_.response_timeout, .idle = options_.idle_timeout},
                nullptr);
  }
  Task<Result<http::Response>> send(http::Request& request, Timeouts timeouts,
                                    Progress* progress) override;
  std::size_t connections() const override { return pool_->open(); }
  bool close_idle() override { return pool_->close_idle(); }

 private:
  using Connection = ConnectionPool::Connection;
  Task<Result<std::unique_ptr<Connection>>> open();
  Task<Result<std::unique_ptr<Stream>>> connect_to_any();
  Task<Result<std::unique_ptr<Stream>>> connect_to(const std::string& address);

  Loop& loop_;
  Resolver& resolver_;
  const http::Url origin_;
  const ClientOptions options_;
  std::shared_ptr<ConnectionPool> pool_;
  http1::ResponseHead head_;       // scratch
  std::size_t first_address_ = 0;  // moves on, so that all addresses get their share
};

bool is_cancelled(const http::Request& request) {
  return request.cancellation != nullptr && request.cancellation->cancelled();
}

/// A request's place among those that wait for a connection.
class Waiting {
 public:
  explicit Waiting(ConnectionCounts* counts) : counts_(counts) {
    if (counts_ != nullptr) ++counts_->waiting;
  }
  ~Waiting() {
    if (counts_ != nullptr) --counts_->waiting;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  ConnectionCounts* const counts_;
};

Task<Result<http::Response>> PooledHttpClient::send(http::Request& request, Timeouts timeouts,
                                                    Progress* progress) {
  if (progress != nullptr) *progress = Progress::kUnsent;
  if (request.authority.empty()) request.authority = origin_.authority();
  for (bool retrying = false;; retrying = true) {
    std::unique_ptr<Connection> connection = retrying ? nullptr : pool_->take_idle();
    if (!connection) {
      Result<std::unique_ptr<Connection>> opened = co_await open();
      if (!opened) co_return fail(std::move(opened));
      connection = *std::move(opened);
    }
    if (is_cancelled(request)) {
      co_return fail(ErrorCode::kCancelled, "nobody waits for the answer any more");
    }
    ClientExchange exchange(loop_, pool_, options_.limits, head_, request, timeouts,
                            std::move(connection));
    Result<http::Response> response = co_await exchange.run();
    if (response) co_return response;
    if (!exchange.may_retry()) {
      const Progress reached = exchange.anything_came() ? Progress::kAnswered : Progress::kSent;
      if (progress != nullptr) *progress = reached;
      co_return response;
    }
  }
}

Task<Result<std::unique_ptr<ConnectionPool::Connection>>> PooledHttpClient::open() {
  ConnectionCounts* const counts = options_.shared_counts.get();
  if (counts != nullptr && counts->waiting >= counts->waiting_limit) {
    ++counts->waiting_refused;
    co_return fail(ErrorCode::kExhausted, "too many requests wait for a connection");
  }
  const Waiting waiting(counts);
  Result<ConnectionPool::Place> place = pool_->reserve();
  if (!place) co_return fail(std::move(place));
  Result<std::unique_ptr<Stream>> stream = co_await connect_to_any();
  if (!stream) co_return std::unexpected(std::move(stream).error().in(origin_.origin()));
  co_return pool_->adopt(*std::move(place), *std::move(stream));
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
