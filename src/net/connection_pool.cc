#include "net/connection_pool.h"

#include <span>
#include <utility>

namespace gatehouse::net {

ConnectionPool::ConnectionPool(Loop& loop, Options options)
    : loop_(loop), options_(options), sweeper_(loop, [this] { sweep(); }) {}

std::unique_ptr<ConnectionPool::Connection> ConnectionPool::take_idle() {
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (!is_fit(*connection)) continue;
    connection->workspace = workspaces_.take();
    connection->reused = true;
    return connection;
  }
  return nullptr;
}

bool ConnectionPool::is_fit(const Connection& connection) const {
  if (connection.stream->broken() || is_old(connection)) return false;
  if (idled_too_long(connection)) return false;
  // No system call unless something has come.
  char early = 0;
  const IoResult got = connection.stream->try_read(std::span(&early, 1));
  return got.kind == IoResult::Kind::kWouldBlock;
}

bool ConnectionPool::idled_too_long(const Connection& connection) const {
  return options_.idle_timeout.count() > 0 &&
         loop_.now() - connection.idle_since >= options_.idle_timeout;
}

bool ConnectionPool::is_old(const Connection& connection) const {
  return options_.lifetime.count() > 0 && loop_.now() - connection.opened >= options_.lifetime;
}

bool ConnectionPool::close_idle() {
  if (idle_.empty()) return false;
  idle_.pop_front();
  return true;
}

Result<ConnectionPool::Place> ConnectionPool::reserve() {
  // One that idles gives way to one that is needed.
  if (*open_ >= options_.connection_limit && !idle_.empty()) idle_.pop_front();
  if (*open_ >= options_.connection_limit) {
    return fail(ErrorCode::kExhausted, "too many connections to the upstream are open");
  }
  ConnectionCounts* const shared = options_.shared.get();
  if (shared != nullptr && shared->open >= shared->open_limit) close_idle();
  if (shared != nullptr && shared->open >= shared->open_limit) {
    ++shared->open_refused;
    return fail(ErrorCode::kExhausted, "too many connections to the service are open");
  }
  return Place(open_, options_.shared);
}

std::unique_ptr<ConnectionPool::Connection> ConnectionPool::adopt(Place place,
                                                                  std::unique_ptr<Stream> stream) {
  return std::make_unique<Connection>(std::move(place), std::move(stream), workspaces_.take(),
                                      loop_.now());
}

void ConnectionPool::keep(std::unique_ptr<Connection> connection) {
  give_workspace_back(*connection);
  if (options_.idle_limit == 0 || is_old(*connection)) return;
  if (idle_.size() >= options_.idle_limit) idle_.pop_front();
  connection->idle_since = loop_.now();
  idle_.push_back(std::move(connection));
  if (options_.shared) options_.shared->room_for_one();
  if (options_.idle_timeout.count() > 0 && !sweeper_.armed())
    sweeper_.set_after(options_.idle_timeout);
}

void ConnectionPool::drop(std::unique_ptr<Connection> connection) {
  give_workspace_back(*connection);
}

void ConnectionPool::give_workspace_back(Connection& connection) {
  connection.workspace->buffer.shrink();
  connection.workspace->out.clear();
  workspaces_.give(std::move(connection.workspace));
}

void ConnectionPool::sweep() {
  while (!idle_.empty() && idled_too_long(*idle_.front())) idle_.pop_front();
  if (!idle_.empty()) sweeper_.set(idle_.front()->idle_since + options_.idle_timeout);
}

}  // namespace gatehouse::net
