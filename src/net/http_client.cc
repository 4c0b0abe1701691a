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
            loop, ConnectionPool::Options{options_.idle_connections, options_.connections,
                                          options_.pool_idle_timeout})) {}

  Task<Result<http::Response>> send(http::Request& request) override {
    return send(request, {.response = options_.response_timeout, .idle = options_.idle_timeout});
  }
  Task<Result<http::Response>> send(http::Request& request, Timeouts timeouts) override;

 private:
  using Connection = ConnectionPool::Connection;
  Task<Result<std::unique_ptr<Connection>>> open();
  Task<Result<std::unique_ptr<Stream>>> connect_to_any();

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

Task<Result<http::Response>> PooledHttpClient::send(http::Request& request, Timeouts timeouts) {
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
    if (response || !exchange.may_retry()) co_return response;
  }
}

Task<Result<std::unique_ptr<ConnectionPool::Connection>>> PooledHttpClient::open() {
  Result<ConnectionPool::Place> place = pool_->reserve();
  if (!place) co_return fail(std::move(place));
  Result<std::unique_ptr<Stream>> stream = co_await connect_to_any();
  if (!stream) co_return std::unexpected(std::move(stream).error().in(origin_.origin()));
  co_return pool_->adopt(*std::move(place), *std::move(stream));
}

Task<Result<std::unique_ptr<Stream>>> PooledHttpClient::connect_to_any() {
  const bool secure = origin_.scheme == "https";
  if (secure && !options_.tls) {
    co_return fail(ErrorCode::kInvalid, "an https origin needs TLS settings");
  }
  Result<std::vector<std::string>> addresses = co_await resolver_.resolve(origin_.host);
  if (!addresses) co_return fail(std::move(addresses));
  const std::size_t first = first_address_++;
  Error last{ErrorCode::kUnavailable, "the name has no address"};
  for (std::size_t i = 0; i < std::min(addresses->size(), kAddressesTried); ++i) {
    ConnectOptions options;
    options.timeout = options_.connect_timeout;
    if (secure) options.tls = options_.tls;
    options.server_name = origin_.host;
    const std::string& address = (*addresses)[(first + i) % addresses->size()];
    Result<std::unique_ptr<Stream>> stream =
        co_await connect(loop_, address, origin_.port, std::move(options));
    if (stream) co_return stream;
    last = std::move(stream).error();
  }
  co_return std::unexpected(std::move(last));
}

}  // namespace

std::unique_ptr<HttpClient> HttpClient::make(Loop& loop, Resolver& resolver, http::Url origin,
                                             ClientOptions options) {
  return std::make_unique<PooledHttpClient>(loop, resolver, std::move(origin), std::move(options));
}

}  // namespace gatehouse::net
