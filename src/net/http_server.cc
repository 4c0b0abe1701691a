#include "net/http_server.h"

#include <unordered_map>
#include <utility>

#include "net/http2/server_connection.h"
#include "net/running_task.h"
#include "net/server_connection.h"
#include "net/server_context.h"

namespace gatehouse::net {
namespace {

// What does not end by itself once its connection is cut is ended by force after this time.
constexpr std::chrono::milliseconds kAfterCut{1'000};

class TcpHttpServer final : public HttpServer, private ServedConnection::Owner {
 public:
  TcpHttpServer(Loop& loop, ServerOptions options, http::Handler& handler,
                ExchangeObserver* observer)
      : context_{loop, std::move(options), handler, observer}, all_ended_(loop) {}

  Result<void> listen(Listener::Options options);

  Endpoint endpoint() const override { return listener_->endpoint(); }
  void set_tls(std::shared_ptr<const ServerTls> tls) override {
    listener_->set_tls(std::move(tls));
  }
  void set_limits(const Listener::Options& listener, const ServerOptions& options) override {
    listener_->set_limits(listener);
    context_.options = options;
  }
  std::size_t connections() const override { return connections_.size(); }
  void dismiss() override;
  Task<void> drain(std::chrono::milliseconds limit) override;

 private:
  void accept(std::unique_ptr<Stream> stream, http::Peer peer);
  void ended(ServedConnection& connection) override;
  void serve(std::unique_ptr<ServedConnection> connection);
  void cut();
  void end_by_force();

  ServerContext context_;
  std::unique_ptr<Listener> listener_;
  http2::ServerResources http2_;
  std::unordered_map<ServedConnection*, std::unique_ptr<ServedConnection>> connections_;
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

/// The one place that chooses a protocol: by ALPN, else HTTP/1.1, whose connection finds out if the
/// client speaks HTTP/2 by prior knowledge. `Upgrade: h2c` is never heeded.
void TcpHttpServer::accept(std::unique_ptr<Stream> stream, http::Peer peer) {
  if (context_.draining()) return listener_->release();
  ServedConnection::Owner& owner = *this;
  if (stream->protocol() == "h2") {
    serve(std::make_unique<http2::ServerConnection>(
        context_, http2_, std::move(stream), std::make_shared<const http::Peer>(std::move(peer)),
        std::string(), owner));
  } else {
    serve(std::make_unique<ServerConnection>(context_, std::move(stream), std::move(peer), owner));
  }
}

void TcpHttpServer::serve(std::unique_ptr<ServedConnection> connection) {
  ServedConnection& started = *connection;
  connections_.emplace(&started, std::move(connection));
  started.start();
}

void TcpHttpServer::ended(ServedConnection& connection) {
  auto* const http1 = dynamic_cast<ServerConnection*>(&connection);
  std::unique_ptr<ServedConnection> successor;
  if (http1 != nullptr && http1->speaks_http2() && !context_.draining()) {
    ServedConnection::Owner& owner = *this;
    successor = std::make_unique<http2::ServerConnection>(
        context_, http2_, http1->take_stream(), http1->peer(), std::string(http1->early()), owner);
  }
  connections_.erase(&connection);
  if (successor) return serve(std::move(successor));
  listener_->release();
  if (context_.draining() && connections_.empty()) all_ended_.happen();
}

void TcpHttpServer::dismiss() {
  context_.phase = ServerContext::Phase::kDismissing;
  for (const auto& [connection, owned] : connections_) connection->dismiss();
}

Task<void> TcpHttpServer::drain(std::chrono::milliseconds limit) {
  listener_->close();
  context_.phase = ServerContext::Phase::kDraining;
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
