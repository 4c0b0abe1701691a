// One HTTP/2 connection of a server (RFC 9113): opens a stream a request, holds the limits of the
// connection and of its streams with one timer, drains by GOAWAY.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/message.h"
#include "net/http2/connection.h"
#include "net/http2/server_stream.h"
#include "net/served_connection.h"
#include "net/server_context.h"

namespace gatehouse::net::http2 {

/// What the HTTP/2 connections of one server share.
struct ServerResources {
  static constexpr std::size_t kSpareStreams = 256;

  Buffers buffers;
  Spare<ServerStream> streams{kSpareStreams};
  std::vector<ServerStream*> whole_heads;  // of the input that is being read
};

class ServerConnection final : public ServedConnection, public Connection {
 public:
  /// `early` has been read of the stream already: the preface and what follows it.
  ServerConnection(ServerContext& context, ServerResources& resources,
                   std::unique_ptr<Stream> stream, std::shared_ptr<const http::Peer> peer,
                   std::string early, Owner& owner);
  ~ServerConnection() override;
  void start() override;
  void dismiss() override { drain(); }
  void drain() override;
  void abort() override;

  // For its streams.
  ServerContext& context() const { return context_; }
  const std::shared_ptr<const http::Peer>& peer() const { return peer_; }
  void head_is_whole(ServerStream& stream) { resources_.whole_heads.push_back(&stream); }
  void struck(Limit limit) const;
  void stream_ended(ServerStream& stream);
  /// Deadlines are looked at by then.
  void check_by(MonotonicTime at);

 private:
  class End final : public net::Runnable {
   public:
    explicit End(ServerConnection& connection) : connection_(connection) {}
    void run() override { connection_.owner_.ended(connection_); }

   private:
    ServerConnection& connection_;
  };

  MultiplexedStream* stream_began(std::int32_t id) override;
  void stream_closed(std::int32_t id, bool reset_by_us) override;
  void ping_acknowledged() override;
  void fault_was_reset() override;
  std::optional<FrameWatch::Fault> check_stream(const FrameHead& frame) override;
  void fault_found(const FrameWatch::Fault& fault) override;
  void fed() override;
  void run_ended() override;

  void say_last_word();
  void end_if_over();
  void on_timer();
  void set_timer(MonotonicTime at);
  MonotonicTime shortest_timeout() const;
  std::optional<MonotonicTime> check_connection(MonotonicTime now);
  std::optional<MonotonicTime> check_streams(MonotonicTime now);

  ServerContext& context_;
  ServerResources& resources_;
  Owner& owner_;
  std::shared_ptr<const http::Peer> peer_;
  std::string early_;
  ClosedStreams closed_;
  std::size_t open_ = 0;  // streams that are not settled
  std::size_t requests_ = 0;
  Rate refusals_;
  MonotonicTime began_{}, idle_since_{}, next_check_{};
  std::optional<MonotonicTime> last_word_due_;
  bool draining_ = false, last_word_said_ = false, run_ended_ = false;
  Loop::Timer timer_;
  End end_{*this};
  std::vector<std::unique_ptr<ServerStream>> owned_;
  RunningTask task_;  // last: its frame refers to the others
};

}  // namespace gatehouse::net::http2
