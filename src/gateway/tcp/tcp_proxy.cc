#include "gateway/tcp/tcp_proxy.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "gateway/tcp/tcp_connection.h"
#include "net/running_task.h"

namespace gatehouse::gateway {

namespace {

/// What does not end by itself once its connection is reset is ended by force after this time.
constexpr std::chrono::milliseconds kAfterCut{1'000};

std::shared_ptr<TcpEntrance> entrance_of(const std::shared_ptr<const TcpRoutes>& routes,
                                         const TcpRoutes::Listen& listen) {
  auto entrance = std::make_shared<TcpEntrance>();
  entrance->routes = routes;
  entrance->listen = &listen;
  entrance->choices.resize(listen.groups.size());
  return entrance;
}

class Proxy final : public TcpProxy, private TcpConnection::Owner {
 public:
  Proxy(net::Loop& loop, Options options)
      : loop_(loop), options_(std::move(options)), all_ended_(loop) {}

  Result<void> set_routes(std::shared_ptr<const TcpRoutes> routes,
                          std::chrono::milliseconds drain_limit) override;
  void set_limits(const net::Listener::Options& listener) override;
  std::vector<net::Endpoint> endpoints() const override;
  std::size_t connections() const override { return connections_.size(); }
  Task<void> drain(std::chrono::milliseconds limit) override;

 private:
  /// Lives until its last connection has ended, though it accepts no more.
  struct Door {
    std::string address;  // as configured
    std::shared_ptr<TcpEntrance> entrance;
    std::unique_ptr<net::Listener> listener;
    std::optional<net::Loop::Timer> end;  // of one that is closed: when what is left is reset
  };
  using DoorPtr = std::shared_ptr<Door>;
  struct Open {
    std::unique_ptr<TcpConnection> connection;
    DoorPtr door;
  };

  Result<DoorPtr> open(const TcpRoutes::Listen& listen);
  void accept(const std::weak_ptr<Door>& door, std::unique_ptr<net::Stream> stream,
              http::Peer peer);
  void ended(TcpConnection& connection) override;
  void close(const DoorPtr& door, std::chrono::milliseconds drain_limit);
  /// Those that came by the door; null: all.
  void cut(const Door* door = nullptr);
  void end_by_force();

  net::Loop& loop_;
  Options options_;
  std::vector<DoorPtr> doors_;
  std::unordered_map<TcpConnection*, Open> connections_;
  bool draining_ = false;
  net::Event all_ended_;
};

Result<Proxy::DoorPtr> Proxy::open(const TcpRoutes::Listen& listen) {
  auto door = std::make_shared<Door>();
  door->address = listen.endpoint.str();
  net::Listener::Options options = options_.listener;
  options.endpoint = listen.endpoint;
  options.tls = nullptr;
  auto listener = net::Listener::open(loop_, std::move(options),
                                      [this, here = std::weak_ptr<Door>(door)](
                                          std::unique_ptr<net::Stream> stream, http::Peer peer) {
                                        accept(here, std::move(stream), std::move(peer));
                                      });
  if (!listener) return fail(std::move(listener));
  door->listener = *std::move(listener);
  return door;
}

Result<void> Proxy::set_routes(std::shared_ptr<const TcpRoutes> routes,
                               std::chrono::milliseconds drain_limit) {
  std::vector<DoorPtr> doors;
  for (const TcpRoutes::Listen& listen : routes->listens()) {
    const auto same = std::ranges::find(doors_, listen.endpoint.str(),
                                        [](const DoorPtr& door) { return door->address; });
    if (same != doors_.end()) {
      doors.push_back(*same);
      continue;
    }
    Result<DoorPtr> door = open(listen);
    if (!door) return fail(std::move(door));
    doors.push_back(*std::move(door));
  }
  for (std::size_t i = 0; i < doors.size(); ++i) {
    doors[i]->entrance = entrance_of(routes, routes->listens()[i]);
  }
  for (const DoorPtr& door : doors_) {
    if (std::ranges::find(doors, door) == doors.end()) close(door, drain_limit);
  }
  doors_ = std::move(doors);
  return {};
}

void Proxy::close(const DoorPtr& door, std::chrono::milliseconds drain_limit) {
  door->listener->close();
  door->end.emplace(loop_, [this, closed = door.get()] { cut(closed); });
  door->end->set_after(drain_limit);
}

void Proxy::set_limits(const net::Listener::Options& listener) {
  options_.listener.connection_limit = listener.connection_limit;
  options_.listener.handshake_timeout = listener.handshake_timeout;
  options_.listener.connections_per_address = listener.connections_per_address;
  options_.listener.uncounted = listener.uncounted;
  for (const DoorPtr& door : doors_) door->listener->set_limits(options_.listener);
}

std::vector<net::Endpoint> Proxy::endpoints() const {
  std::vector<net::Endpoint> all;
  for (const DoorPtr& door : doors_) all.push_back(door->listener->endpoint());
  return all;
}

void Proxy::accept(const std::weak_ptr<Door>& door, std::unique_ptr<net::Stream> stream,
                   http::Peer peer) {
  DoorPtr here = door.lock();
  if (draining_) return here->listener->release();
  TcpConnection::Owner& owner = *this;
  auto connection = std::make_unique<TcpConnection>(loop_, options_, here->entrance,
                                                    std::move(stream), std::move(peer), owner);
  TcpConnection& started = *connection;
  connections_.emplace(&started, Open{std::move(connection), std::move(here)});
  started.start();
}

void Proxy::ended(TcpConnection& connection) {
  const auto found = connections_.find(&connection);
  const Open open = std::move(found->second);
  connections_.erase(found);
  open.door->listener->release();
  if (draining_ && connections_.empty()) all_ended_.happen();
}

Task<void> Proxy::drain(std::chrono::milliseconds limit) {
  for (const DoorPtr& door : doors_) door->listener->close();
  draining_ = true;
  if (connections_.empty()) co_return;
  net::Loop::Timer force(loop_, [this] { end_by_force(); });
  net::Loop::Timer timer(loop_, [this, &force] {
    cut();
    force.set_after(kAfterCut);
  });
  timer.set_after(limit);
  co_await all_ended_;
}

void Proxy::cut(const Door* door) {
  for (const auto& [connection, open] : connections_) {
    if (door == nullptr || open.door.get() == door) connection->abort();
  }
}

void Proxy::end_by_force() {
  connections_.clear();
  all_ended_.happen();
}

}  // namespace

Result<std::unique_ptr<TcpProxy>> TcpProxy::open(net::Loop& loop,
                                                 std::shared_ptr<const TcpRoutes> routes,
                                                 Options options) {
  auto proxy = std::make_unique<Proxy>(loop, std::move(options));
  Result<void> opened = proxy->set_routes(std::move(routes), std::chrono::milliseconds(0));
  if (!opened) return fail(std::move(opened));
  return proxy;
}

}  // namespace gatehouse::gateway
