// One request of an HTTP/2 client and its answer: reads the head, has it handled, writes the
// answer, joins an upgrade. Kept for the next request when both have ended.
#pragma once

#include <memory>
#include <optional>

#include "http/message.h"
#include "net/http2/multiplexed_stream.h"
#include "net/http2/request_fields.h"
#include "net/running_task.h"

namespace gatehouse::net::http2 {

class ServerConnection;

class ServerStream final : public MultiplexedStream {
 public:
  ServerStream() = default;
  ~ServerStream() override;

  void begin(ServerConnection& connection, std::int32_t id);
  /// The head is whole: has it handled.
  void start();
  /// Lets time pass: what has waited for too long fails. Gives the next deadline.
  std::optional<MonotonicTime> check_deadlines(MonotonicTime now);

  void take_field(std::string_view name, std::string_view value) override;
  void refuse_field() override;
  void take_fields_end() override;
  void take_local_end() override;

 private:
  class Content;

  Task<void> serve();
  Task<void> relay_to_upgrade();
  Task<void> answer();
  Task<void> send_stream(http::BodyReader& body, std::optional<std::uint64_t> length);
  Task<bool> send_piece(std::string_view piece);
  Task<void> tunnel();
  Task<void> relay_to_client();
  void content_arrived() override;
  void settle() override;
  void open_body();
  void check_answer();
  void write_head(int status, std::optional<std::uint64_t> length);
  void send_continue();
  void take_trailer(std::string_view name, std::string_view value);
  void exception_left(std::string_view what);
  void finish();
  void tell_observer();
  std::optional<MonotonicTime> unwanted_deadline(MonotonicTime now);
  std::optional<MonotonicTime> content_deadline(MonotonicTime now);
  std::optional<MonotonicTime> window_deadline(MonotonicTime now);
  std::optional<MonotonicTime> tunnel_deadline(MonotonicTime now);

  ServerConnection* server_ = nullptr;
  http::Request request_;
  http::Response response_;
  RequestFields head_;
  std::optional<http1::Refusal> refusal_;
  http::Cancellation cancellation_;
  MonotonicTime answered_{}, answer_gone_{};
  /// When the rest of the request is reset.
  std::optional<MonotonicTime> unwanted_at_;
  std::uint64_t rate_bytes_ = 0;  // received when the rate was looked at last
  MonotonicTime rate_at_{};
  std::size_t trailer_bytes_ = 0;
  int status_ = 0;
  bool head_whole_ = false, started_ = false, done_ = false;
  bool must_continue_ = false;
  bool tunnels_ = false, relayed_ = true;
  std::string_view fault_;  // of the content; the client is to blame
  Signal relay_ended_;
  RunningTask relay_, task_;  // last: their frames refer to the others
};

}  // namespace gatehouse::net::http2
