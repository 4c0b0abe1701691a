// One request to an HTTP/2 upstream and its answer: sends the head, the body beside, waits for the
// final head, and makes a Response whose body (or upgrade) takes the stream over. Cancelling resets
// the stream alone.
//
// Its connection keeps it until nghttp2 knows no more of it, whoever asked for it as long as the
// answer is wanted: StreamHold.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "http/message.h"
#include "net/http2/multiplexed_stream.h"
#include "net/http_client.h"
#include "net/running_task.h"

namespace gatehouse::net::http2 {

class ClientConnection;

class ClientStream final : public MultiplexedStream {
 public:
  explicit ClientStream(ClientConnection& connection) : client_(&connection) {}
  ~ClientStream() override;

  /// False if the connection takes no more. `request` as http::Client::send() has it.
  bool send(http::Request& request, HttpClient::Timeouts timeouts, std::string_view scheme);
  /// The final head.
  Task<Result<void>> answered();
  int status() const { return status_; }
  http::Headers& headers() { return headers_; }
  std::optional<std::uint64_t> length() const { return length_; }
  /// The content, if all of it is there and there are no trailers.
  std::optional<std::string> whole_content();
  /// From now on bytes go both ways.
  void become_tunnel();

  /// As of the body, with the idle time-out.
  Task<Result<std::string_view>> read();
  Task<Result<void>> write(std::string_view bytes);
  void finish() { end_outgoing(nullptr); }
  void cancel(ErrorCode code, std::string_view reason);
  /// Nobody wants the answer any more, or has it all.
  void abandon();

  bool anything_came() const { return anything_came_; }
  /// The upstream says that it has not looked at the request.
  bool was_refused() const;
  /// No byte of the request's body has been asked for.
  bool body_is_untouched() const { return !upload_begun_; }
  std::optional<MonotonicTime> check_deadlines(MonotonicTime now);

  void take_field(std::string_view name, std::string_view value) override;
  void refuse_field() override;
  void take_fields_end() override;

 private:
  void write_head(const http::Request& request, std::string_view scheme);
  Task<void> upload(http::BodyReader& body, std::optional<std::uint64_t> length);
  Task<void> send_pieces(http::BodyReader& body, std::optional<std::uint64_t> length);
  void wait_for_answer_from_now();
  void take_status(std::string_view value);
  void take_header(std::string_view name, std::string_view value);
  void take_trailer(std::string_view name, std::string_view value);
  void corrupt(std::string_view reason);
  void closed_now() override;
  void settle() override;
  Error cut_short() const override;
  Error why_unanswered() const;

  ClientConnection* client_;
  http::Cancellation* cancellation_ = nullptr;
  HttpClient::Timeouts timeouts_;
  std::string method_;
  int status_ = 0;
  http::Headers headers_;
  std::optional<std::uint64_t> length_;
  std::optional<MonotonicTime> head_due_;
  std::optional<Error> error_;
  std::size_t interim_ = 0, head_bytes_ = 0, fields_seen_ = 0;
  bool head_whole_ = false, anything_came_ = false, tunnels_ = false, upload_begun_ = false;
  bool any_trailer_ = false;  // that is not forbidden
  Signal head_;
  RunningTask upload_;  // last: its frame refers to the others
};

/// What keeps an answer's stream and connection while somebody wants it.
class StreamHold {
 public:
  StreamHold(std::shared_ptr<ClientConnection> connection, std::shared_ptr<ClientStream> stream);
  ~StreamHold();
  StreamHold(StreamHold&&) = default;
  StreamHold& operator=(StreamHold&&) = delete;
  ClientStream& stream() const { return *stream_; }

 private:
  std::shared_ptr<ClientConnection> connection_;
  std::shared_ptr<ClientStream> stream_;
};

/// One try of a request on one connection.
struct Attempt {
  bool anything_came = false;
  bool refused = false;  // not looked at by the upstream
  bool lost = false;     // with its connection; not by a word on this stream
  bool body_untouched = true;
};
Task<Result<http::Response>> exchange(std::shared_ptr<ClientConnection> connection,
                                      http::Request& request, HttpClient::Timeouts timeouts,
                                      std::string_view scheme, Attempt& attempt);

}  // namespace gatehouse::net::http2
