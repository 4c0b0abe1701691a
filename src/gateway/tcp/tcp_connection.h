// One client's connection of a TcpProxy, from its first byte to its end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/tcp/stream_bytes.h"
#include "gateway/tcp/tcp_proxy.h"
#include "gateway/tcp/weighted_choice.h"
#include "net/read_buffer.h"
#include "net/running_task.h"
#include "net/tunnel.h"

namespace gatehouse::gateway {

/// An address of the routes, and whose turn it is there. Connections keep it alive.
struct TcpEntrance {
  std::shared_ptr<const TcpRoutes> routes;
  const TcpRoutes::Listen* listen;
  std::vector<WeightedChoice> choices;  // one a group
};

class TcpConnection {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// Called once, by the loop; may destroy the connection.
    virtual void ended(TcpConnection& connection) = 0;
  };

  TcpConnection(net::Loop& loop, const TcpProxy::Options& options,
                std::shared_ptr<TcpEntrance> entrance, std::unique_ptr<net::Stream> client,
                http::Peer peer, Owner& owner);
  ~TcpConnection();
  TcpConnection(const TcpConnection&) = delete;
  TcpConnection& operator=(const TcpConnection&) = delete;

  void start();
  /// Resets it, wherever it is.
  void abort();

 private:
  class End final : public net::Runnable {
   public:
    explicit End(TcpConnection& connection) : connection_(connection) {}
    void run() override { connection_.owner_.ended(connection_); }

   private:
    TcpConnection& connection_;
  };

  Task<void> serve();
  Task<bool> choose_group();
  Task<bool> read_server_name();
  Task<bool> begin_tls();
  Task<void> join(TcpProxy::Upstream upstream);
  bool failed(TcpResult result, const Error& error);
  void tell();

  net::Loop& loop_;
  const TcpProxy::Options& options_;
  const std::shared_ptr<TcpEntrance> entrance_;
  std::unique_ptr<net::Stream> client_;
  http::Peer peer_;
  Owner& owner_;
  const MonotonicTime started_;
  net::ReadBuffer buffer_;
  const TcpRoutes::Group* group_ = nullptr;
  const config::TcpRoute* route_ = nullptr;
  std::shared_ptr<void> counted_;  // before the stream: goes after it
  std::optional<StreamBytes> upstream_;
  std::optional<net::Tunnel> tunnel_;
  std::string upstream_address_;
  TcpResult result_ = TcpResult::kOk;
  std::string reason_;
  bool aborted_ = false;
  End end_{*this};
  net::RunningTask task_;  // last: its frame refers to the others
};

}  // namespace gatehouse::gateway
