// The Cluster of a service in the network. Made by Clusters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/upstream/balancer.h"
#include "gateway/upstream/cluster.h"
#include "gateway/upstream/health_board.h"
#include "gateway/upstream/service_addresses.h"
#include "http/url.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway::upstream {

class ServiceCluster final : public Cluster, public std::enable_shared_from_this<ServiceCluster> {
 public:
  /// After an address could not be connected to, doubled from time to time.
  static constexpr std::chrono::milliseconds kFirstRefusal{1'000}, kLongestRefusal{30'000};

  struct Parts {
    net::Loop& loop;
    net::Resolver& resolver;
    HealthBoard& board;
    Entropy& entropy;
    std::shared_ptr<const net::ClientTls> tls;  // null for http
  };
  /// `settings` are checked; `url` is what that gave.
  ServiceCluster(config::Upstream settings, http::Url url, Parts parts);
  ~ServiceCluster() override;

  Task<Result<http::Response>> send(http::Request& request, SendOptions options) override;
  Task<Result<Connection>> connect(Client client) override;
  const std::string& authority() const override { return authority_; }
  ClusterStatus status() const override;

 private:
  using Progress = net::HttpClient::Progress;

  /// What one request has behind it.
  struct Attempts {
    Stickiness::Key key;
    Tried tried;
    std::size_t retries = 0;
    bool made_room = false;
    bool was_refused = false;
    bool has_waited = false;
    std::optional<MonotonicTime> deadline;
    std::optional<BreakerPlace> retrying;
  };
  enum class Next { kDeliver, kAtOnce, kWhenThereIsRoom, kAfterWait };

  Task<Result<void>> wait_for_addresses();
  Task<Result<void>> wait_for_room(const http::Request& request, Attempts& attempts);
  EndpointPtr pick(const Attempts& attempts);
  net::HttpClient::Timeouts timeouts(const SendOptions& options, const Attempts& attempts) const;
  Next judge(const http::Request& request, const SendOptions& options, Attempts& attempts,
             const Endpoint& endpoint, const Result<http::Response>& answer, Progress progress);
  bool is_late(const Attempts& attempts) const;
  bool try_another(Attempts& attempts, const Endpoint& endpoint);
  bool may_retry(const config::RetryPolicy& policy, Attempts& attempts);
  void note(Endpoint& endpoint, const Result<http::Response>& answer, Progress progress);
  void note_failure(Endpoint& endpoint, std::string error);
  void note_connection(Endpoint& endpoint, bool connected);
  bool make_room();

  void set_addresses(const std::vector<std::string>& addresses);
  EndpointPtr make_endpoint(const std::string& address);
  void add_checks(Endpoint& endpoint);
  void see_health();
  void recover();
  void update();
  std::size_t ejected() const;

  const config::Upstream settings_;
  const http::Url url_;
  const std::string authority_;
  const std::shared_ptr<const std::string> service_;  // for the traces of requests
  Parts parts_;
  RandomSequence random_;
  Balancer balancer_;
  const Stickiness stickiness_;
  const OutlierDetector outliers_;
  const std::shared_ptr<net::ConnectionCounts> connections_;
  const std::shared_ptr<Breaker> requests_, retries_;
  std::uint64_t attempts_ = 0, failed_attempts_ = 0, retried_ = 0;
  std::uint64_t seen_health_ = 0;  // of the board
  net::Loop::Timer recovery_;      // the next time that an address may come back
  ServiceAddresses addresses_;     // last: tells the others of addresses
};

}  // namespace gatehouse::gateway::upstream
