// For the tests of this folder: a service of several addresses on loopback, 127.0.0.1, 127.0.0.2, …
// with one port, over real sockets; and a resolver that says what a test wants.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gateway/upstream/clusters.h"
#include "net/http_server.h"
#include "net/test_http.h"
#include "net/test_loop.h"

namespace gatehouse::gateway::upstream {

class TestEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(hash_bytes("", ++next_));
  }

 private:
  std::uint64_t next_ = 0;
};

class TestResolver final : public net::Resolver {
 public:
  using Addresses = std::vector<std::string>;
  Result<Addresses> addresses = Addresses{"127.0.0.1"};
  std::chrono::seconds ttl{300};
  std::chrono::seconds max_age{0};  // as it was last asked for
  int asked = 0;
  bool silent = false;     // does not answer while this holds
  bool immediate = false;  // answers within the call

  explicit TestResolver(net::Loop& loop) : loop_(loop) {}
  Task<Result<Addresses>> resolve(std::string /*host*/) override { co_return addresses; }
  Task<Result<Lookup>> look_up(std::string /*host*/, std::chrono::seconds age) override {
    ++asked;
    max_age = age;
    while (!immediate) {
      co_await loop_.sleep(std::chrono::milliseconds(1));
      if (!silent) break;
    }
    if (!addresses) co_return std::unexpected(addresses.error());
    co_return Lookup{.addresses = *addresses, .ttl = ttl};
  }

 private:
  net::Loop& loop_;
};

/// What happens at one address.
struct Backend {
  std::vector<std::string> seen;  // "METHOD target" of each request
  std::function<Task<http::Response>(http::Request&)> answer = [](http::Request&) {
    return net::text_answer(200, "ok");
  };
  std::unique_ptr<net::FunctionHandler> handler;
  std::unique_ptr<net::HttpServer> server;
};

class ServiceTest : public testing::Test {
 protected:
  /// Addresses 127.0.0.1 to 127.0.0.`count`, all of which answer.
  void serve(std::size_t count, std::shared_ptr<const net::ServerTls> tls = nullptr) {
    TestResolver::Addresses addresses;
    for (std::size_t i = 1; i <= count; ++i) {
      addresses.push_back("127.0.0." + std::to_string(i));
      start(i, tls);
    }
    resolver_.addresses = addresses;
    settings_.service =
        (tls ? "https" : "http") + std::string("://service.test:") + std::to_string(port_);
  }
  void start(std::size_t number, std::shared_ptr<const net::ServerTls> tls = nullptr) {
    Backend& backend = backends_[number];
    backend.handler = std::make_unique<net::FunctionHandler>([&backend](http::Request& request) {
      backend.seen.push_back(request.method + " " + request.target.str());
      return backend.answer(request);
    });
    auto server = net::HttpServer::open(
        loop_.get(),
        {.endpoint = {.host = "127.0.0." + std::to_string(number), .port = port_},
         .tls = std::move(tls)},
        {}, *backend.handler, nullptr);
    ASSERT_TRUE(server) << server.error().message;
    backend.server = *std::move(server);
    port_ = backend.server->endpoint().port;
  }
  void stop(std::size_t number) { backends_[number].server.reset(); }
  Backend& backend(std::size_t number) { return backends_[number]; }
  void answer_everywhere(int status) {
    for (auto& [number, backend] : backends_) {
      backend.answer = [status](http::Request&) { return net::text_answer(status, "page"); };
    }
  }
  std::size_t seen_everywhere() const {
    std::size_t count = 0;
    for (const auto& [number, backend] : backends_) count += backend.seen.size();
    return count;
  }

  Cluster& cluster() {
    if (!cluster_) {
      Result<std::shared_ptr<Cluster>> made = clusters_.get(settings_);
      EXPECT_TRUE(made) << made.error().message;
      cluster_ = *std::move(made);
    }
    return *cluster_;
  }
  ClusterStatus status() { return cluster().status(); }
  EndpointStatus endpoint(std::size_t number) {
    for (const EndpointStatus& each : status().endpoints) {
      if (each.address.starts_with("127.0.0." + std::to_string(number) + ":")) return each;
    }
    ADD_FAILURE() << "there is no endpoint " << number;
    return {};
  }

  static http::Request get(std::string_view path = "/") {
    http::Request request;
    request.target = *http::parse_target(path);
    return request;
  }
  using Answer = Result<http::Response>;
  Answer send(http::Request& request, SendOptions options = {}) {
    return loop_.run(cluster().send(request, options));
  }
  Answer send(SendOptions options = {}) {
    last_ = get();
    return send(last_, options);
  }
  /// The status of the answer, or minus the code of the error.
  int status_of(SendOptions options = {}) {
    Answer answer = send(options);
    return answer ? answer->status : -static_cast<int>(answer.error().code);
  }
  static int error(ErrorCode code) { return -static_cast<int>(code); }
  /// Under way beside the test.
  void begin(http::Request& request, std::optional<Answer>& into, SendOptions options = {}) {
    spawn(cluster().send(request, options),
          [&into](Answer answer) { into.emplace(std::move(answer)); });
  }

  net::AheadClock clock_;
  net::TestLoop loop_{clock_};
  TestEntropy entropy_;
  HealthBoard board_;
  TestResolver resolver_{loop_.get()};
  std::uint16_t port_ = 0;
  std::map<std::size_t, Backend> backends_;
  config::Upstream settings_;
  Clusters clusters_{{loop_.get(), resolver_, board_, entropy_}};
  std::shared_ptr<Cluster> cluster_;
  http::Request last_;
};

}  // namespace gatehouse::gateway::upstream
