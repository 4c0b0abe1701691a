// The server's side of a WebSocket that sends back what it gets (RFC 6455): the demo's `/ws`.
//
// A pure state machine over bytes: feed() takes what came and gives what to send. Text and binary
// messages and their fragments come back frame by frame; pings get pongs; a close is answered and
// ends. Frames without a mask, over kFrameLimit, or with reserved bits close the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "http/message.h"

namespace gatehouse::app {

class WebSocketEcho {
 public:
  static constexpr std::uint64_t kFrameLimit = std::uint64_t{16} * 1024 * 1024;

  /// What to send for these bytes; may be empty.
  std::string feed(std::string_view bytes);
  /// True after a close was answered or a fault was met: send what is there, then end.
  bool closed() const { return closed_; }

 private:
  bool take_frame(std::string& out);
  void close(std::string& out, std::uint16_t code);

  std::string buffer_;
  bool closed_ = false;
};

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
std::string websocket_accept(std::string_view key);

/// The answer to an upgrade request: 101 with an echo behind it, or 426. `home` is the loop that
/// the connection is on, and outlives it.
http::Response echo_websocket(const http::Request& request, Executor& home);

}  // namespace gatehouse::app
