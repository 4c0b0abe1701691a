// The clusters of one loop: one for each distinct config::Upstream, kept across reloads.
//
// A route holds the shared_ptr that get() gave it. One that no route holds any more stays for a
// grace, so that a reload that takes a route away and one that brings it back do not drop its
// connections, its health and its addresses.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/upstream/cluster.h"
#include "gateway/upstream/health_board.h"
#include "net/loop.h"
#include "net/tcp.h"

namespace gatehouse::gateway::upstream {

class Clusters {
 public:
  /// How long a cluster that nobody uses is kept, and how often it is looked for some.
  static constexpr std::chrono::seconds kGrace{60}, kSweepInterval{10};

  /// All outlive this, but the clusters that others still hold outlive it, too.
  struct Parts {
    net::Loop& loop;
    net::Resolver& resolver;
    HealthBoard& board;
    Entropy& entropy;
  };
  explicit Clusters(Parts parts);

  /// The cluster of these settings: one that is alive if they are equal and none of the files they
  /// name has changed since, else a new one. kInvalid says what cannot be and why; nothing is said
  /// of the network yet.
  Result<std::shared_ptr<Cluster>> get(const config::Upstream& settings);

  std::vector<ClusterStatus> status() const;
  std::size_t size() const;

 private:
  struct Entry {
    config::Upstream settings;
    std::string files;  // their state when they were read
    std::shared_ptr<Cluster> cluster;
    std::optional<MonotonicTime> unused_since;
  };
  struct LoadedTls {
    config::UpstreamTls settings;
    std::string files;
    std::weak_ptr<const net::ClientTls> tls;
  };

  Result<std::shared_ptr<const net::ClientTls>> tls_for(const config::UpstreamTls& settings,
                                                        const std::string& files);
  void sweep();

  Parts parts_;
  std::unordered_multimap<std::string, Entry> entries_;  // by service
  std::vector<LoadedTls> tls_;  // thousands of services share a few: an SSL_CTX is megabytes
  net::Loop::Timer sweeper_;
};

}  // namespace gatehouse::gateway::upstream
