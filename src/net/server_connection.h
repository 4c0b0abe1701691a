// One HTTP/1.1 connection of a server: reads a request, has it handled, writes the answer, and so
// on until either side has had enough.
//
// States: idle (no memory but this object, its stream and its frame) → reading a head → exchange
// (handling, then answering) → draining what is left of the request's body → idle; or lingering,
// which lets the client read the answer before the connection is reset by what it still sends; or
// tunnel. A client that goes away while its request is handled cancels it; one that has only
// finished sending, as far as can be seen, is waited for some seconds.
#pragma once

#include <memory>
#include <optional>

#include "base/task.h"
#include "http/message.h"
#include "net/answer_writer.h"
#include "net/incoming_body.h"
#include "net/loop.h"
#include "net/running_task.h"
#include "net/served_connection.h"
#include "net/server_context.h"
#include "net/stream.h"

namespace gatehouse::net {

class ServerConnection final : public ServedConnection {
 public:
  ServerConnection(ServerContext& context, std::unique_ptr<Stream> stream, http::Peer peer,
                   Owner& owner);
  ~ServerConnection() override;
  void start() override;
  void dismiss() override {}
  void drain() override;
  void abort() override;

  /// After its end: the client speaks HTTP/2 by prior knowledge, and what it has sent is here.
  bool speaks_http2() const { return speaks_http2_; }
  std::unique_ptr<Stream> take_stream();
  const std::shared_ptr<const http::Peer>& peer() const { return peer_; }
  std::string_view early() const { return workspace_->buffer.text(); }

 private:
  class RequestBody;
  enum class HeadState { kIncomplete, kComplete, kRefused, kClosed, kHttp2 };
  class End final : public Runnable {
   public:
    explicit End(ServerConnection& connection) : connection_(connection) {}
    void run() override { connection_.owner_.ended(connection_); }

   private:
    ServerConnection& connection_;
  };

  Task<void> serve();
  void end_by_exception();
  void client_finished();
  void judge_doubt();
  void client_left();

  // Reading a head.
  HeadState look_for_head();
  HeadState look_again(const Result<void>& readable);
  HeadState parse_head();
  HeadState wait_for_bytes();
  bool head_has_begun() const;
  HeadState head_missed(ErrorCode why);
  HeadState refuse(http1::Refusal refusal);
  void struck(Limit limit) const;
  std::optional<Limit> limit_behind(int status) const;

  // An exchange.
  void begin_exchange();
  void open_body();
  void check_answer(http::Response& response) const;
  bool is_connect() const;
  bool can_keep_alive(const http::Response& response) const;
  bool body_is_left() const { return body_ && !body_->finished(); }
  std::optional<bool> answer_at_once(http::Response& response);
  /// True if the connection is in order afterwards.
  Task<bool> answer(http::Response& response);
  AnswerWriter make_writer();
  http1::Framing begin_answer(AnswerWriter& writer, http::Response& response);
  bool end_answer(const AnswerWriter& writer, const http::Response& response, bool complete);
  Task<bool> tunnel(http::Response& response);
  Task<Result<void>> send_continue();
  void tell_observer(const http::Response& response, std::uint64_t sent, bool complete);

  // After it.
  Task<bool> drain_body();
  Task<void> linger();
  void give_workspace_back();

  ServerContext& context_;
  Owner& owner_;
  std::unique_ptr<Stream> stream_;
  std::shared_ptr<const http::Peer> peer_;
  std::unique_ptr<Workspace> workspace_;
  std::optional<IncomingBody> body_;
  std::optional<http1::Refusal> refusal_;
  http::Cancellation cancellation_;
  std::size_t requests_ = 0;
  MonotonicTime answered_{};
  bool head_begun_ = false;     // its deadline is set
  bool must_continue_ = false;  // the client waits for 100 (Continue)
  bool exchanging_ = false;
  bool left_ = false;  // the client, before its answer
  bool keep_alive_ = true;
  bool speaks_http2_ = false;
  const AnswerWriter* writer_ = nullptr;  // of an answer that is sent piece by piece
  std::unique_ptr<Loop::Timer> doubt_;    // since the client has finished sending
  std::uint64_t sent_in_doubt_ = 0;
  End end_{*this};
  RunningTask task_;  // last: its frame refers to the others
};

}  // namespace gatehouse::net
