// One HTTP/2 connection to an upstream, and those of one origin. A connection serves as many
// requests at once as the upstream allows; what is refused by GOAWAY or REFUSED_STREAM is told so.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/connection_pool.h"
#include "net/http2/client_stream.h"
#include "net/http2/connection.h"

namespace gatehouse::net::http2 {

class ClientPool;

class ClientConnection final : public Connection {
 public:
  ClientConnection(Loop& loop, std::shared_ptr<Buffers> buffers, ConnectionPool::Place place,
                   std::unique_ptr<Stream> stream, const http1::Limits& limits,
                   std::chrono::milliseconds idle_timeout, std::weak_ptr<ClientPool> pool);
  ~ClientConnection() override;
  void start();

  /// It may take one more request.
  bool has_room() const;
  bool idles() const { return live_.empty(); }
  bool used() const { return used_; }
  /// It has ended, and everything on it.
  bool over() const { return over_; }
  MonotonicTime opened() const { return opened_; }
  MonotonicTime idle_since() const { return idle_since_; }
  /// Ends when nothing is under way on it any more.
  void retire();
  std::shared_ptr<ClientStream> make_stream();
  /// Waits for the upstream's SETTINGS; kUnavailable if they do not allow an extended CONNECT.
  Task<Result<void>> may_upgrade(std::chrono::milliseconds timeout);

  // For its streams.
  const http1::Limits& limits() const { return limits_; }
  void note_deadline(MonotonicTime at);
  /// A stream was reset: breaks the connection if even that does not get out.
  void watch_output();
  void stream_settled(ClientStream& stream);

 private:
  class End final : public net::Runnable {
   public:
    explicit End(ClientConnection& connection) : connection_(connection) {}
    void run() override;

   private:
    ClientConnection& connection_;
  };

  void goaway_received(std::int32_t last_stream) override;
  void settings_changed() override;
  void run_ended() override;
  void on_timer();
  void tell_of_room();

  std::shared_ptr<Buffers> buffers_;
  ConnectionPool::Place place_;
  const http1::Limits limits_;
  const std::chrono::milliseconds idle_timeout_;
  std::weak_ptr<ClientPool> pool_;
  std::vector<std::shared_ptr<ClientStream>> live_;  // that nghttp2 knows of
  std::size_t streams_allowed_;
  const MonotonicTime opened_;
  MonotonicTime idle_since_;
  bool retired_ = false, used_ = false, over_ = false;
  std::optional<MonotonicTime> due_;
  Signal settings_;
  Loop::Timer timer_;
  End end_{*this};
  RunningTask task_;  // last: its frame refers to the others
};

/// Those that are open to one origin.
class ClientPool : public std::enable_shared_from_this<ClientPool> {
 public:
  struct Options {
    http1::Limits limits;
    std::chrono::milliseconds idle_timeout{0};  // 0: none
    std::chrono::milliseconds lifetime{0};      // an older one takes no more requests; 0: no limit
  };
  ClientPool(Loop& loop, Options options) : loop_(loop), options_(options) {}

  /// One that takes one more request; null if there is none.
  std::shared_ptr<ClientConnection> find();
  std::shared_ptr<ClientConnection> adopt(ConnectionPool::Place place,
                                          std::unique_ptr<Stream> stream);
  /// Ends the one that has idled for longest; false if none idles.
  bool close_idle();
  void ended(ClientConnection& connection);

 private:
  Loop& loop_;
  const Options options_;
  std::shared_ptr<Buffers> buffers_ = std::make_shared<Buffers>();
  std::vector<std::shared_ptr<ClientConnection>> connections_;
};

}  // namespace gatehouse::net::http2
