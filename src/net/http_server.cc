#include "net/http_server.h"

#include <unordered_map>
#include <utility>

#include "net/running_task.h"
#include "net/server_connection.h"
#include "net/server_context.h"

namespace gatehouse::net {
namespace {

// What does not end by itself once its connection is cut is ended by force after this time.
constexpr std::chrono::milliseconds kAfterCut{1'000};

class TcpHttpServer final : public HttpServer, private ServerConnection::Owner {
 public:
  TcpHttpServer(Loop& loop, ServerOptions options, http::Handler& handler,
                ExchangeObserver* observer)
      : context_{loop, std::move(options), handler, observer}, all_ended_(loop) {}

  Result<void> listen(Listener::Options options);

  Endpoint endpoint() const override { return listener_->endpoint(); }
  void set_tls(std::shared_ptr<const ServerTls> tls) override {
    listener_->set_tls(std::move(tls));
  }
  std::size_t connections() const override { return connections_.size(); }
  Task<void> drain(std::chrono::milliseconds limit) override;

 private:
  void accept(std::unique_ptr<Stream> stream, http::Peer peer);
  void ended(ServerConnection& connection) override;
  void cut();
  void end_by_force();

  ServerContext context_;
  std::unique_ptr<Listener> listener_;
  std::unordered_map<ServerConnection*, std::unique_ptr<ServerConnection>> connections_;
  Event all_ended_;
};

Result<void> TcpHttpServer::listen(Listener::Options options) {
  auto listener = Listener::open(context_.loop, std::move(options),
                                 [this](std::unique_ptr<Stream> stream, http::Peer peer) {
                                   accept(std::move(stream), std::move(peer));
                                 });
  if (!listener) return fail(std::move(listener));
  listener_ = *std::move(listener);
  return {};
}

void TcpHttpServer::accept(std::unique_ptr<Stream> stream, http::Peer peer) {
  if (context_.draining) return listener_->release();
  ServerConnection::Owner& owner = *this;
  auto connection =
      std::make_unique<ServerConnection>(context_, std::move(stream), std::move(peer), owner);
  ServerConnection& started = *connection;
  connections_.emplace(&started, std::move(connection));
  started.start();
}

void TcpHttpServer::ended(ServerConnection& connection) {
  connections_.erase(&connection);
  listener_->release();
  if (context_.draining && connections_.empty()) all_ended_.happen();
}

Task<void> TcpHttpServer::drain(std::chrono::milliseconds limit) {
  listener_->close();
  context_.draining = true;
  if (connections_.empty()) co_return;
  for (const auto& [connection, owned] : connections_) connection->drain();
  Loop::Timer force(context_.loop, [this] { end_by_force(); });
  Loop::Timer timer(context_.loop, [this, &force] {
    cut();
    force.set_after(kAfterCut);
  });
  timer.set_after(limit);
  co_await all_ended_;
}

void TcpHttpServer::cut() {
  for (const auto& [connection, owned] : connections_) connection->abort();
}

void TcpHttpServer::end_by_force() {
  const std::size_t left = connections_.size();
  connections_.clear();
  for (std::size_t i = 0; i < left; ++i) listener_->release();
  all_ended_.happen();
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::open(Loop& loop, Listener::Options listener,
                                                     ServerOptions options, http::Handler& handler,
                                                     ExchangeObserver* observer) {
  auto server = std::make_unique<TcpHttpServer>(loop, std::move(options), handler, observer);
  Result<void> listening = server->listen(std::move(listener));
  if (!listening) return fail(std::move(listening));
  return server;
}

}  // namespace gatehouse::net
