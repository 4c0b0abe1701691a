#include "app/websocket_echo.h"

#include <openssl/evp.h>

#include <array>
#include <coroutine>

#include "base/encoding.h"

namespace gatehouse::app {
namespace {

constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

enum Opcode : std::uint8_t { kClose = 0x8, kPing = 0x9, kPong = 0xa };
constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kTooBig = 1009;

void append_frame(std::string& out, std::uint8_t first_byte, std::string_view payload) {
  out += static_cast<char>(first_byte);
  if (payload.size() < 126) {
    out += static_cast<char>(payload.size());
  } else if (payload.size() <= 0xffff) {
    out += static_cast<char>(126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  } else {
    out += static_cast<char>(127);
    for (int shift = 56; shift >= 0; shift -= 8) {
      out += static_cast<char>((static_cast<std::uint64_t>(payload.size()) >> shift) & 0xff);
    }
  }
  out += payload;
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = (value << 8) | static_cast<std::uint8_t>(c);
  return value;
}

/// The echo as the server's tunnel sees it: what is written comes back by read().
class EchoStream final : public http::ByteStream {
 public:
  explicit EchoStream(Executor& home) : home_(home) {}

  Task<Result<std::string_view>> read() override {
    if (pending_.empty() && !ended_) co_await Arrival{*this};
    if (aborted_) co_return fail(ErrorCode::kCancelled, "the socket was closed");
    sending_.swap(pending_);
    pending_.clear();
    co_return std::string_view(sending_);
  }
  Task<Result<void>> write(std::string_view bytes) override {
    if (aborted_) co_return fail(ErrorCode::kCancelled, "the socket was closed");
    pending_ += echo_.feed(bytes);
    if (echo_.closed()) ended_ = true;
    wake();
    co_return Result<void>();
  }
  void finish() override {
    ended_ = true;
    wake();
  }
  void abort() override {
    aborted_ = true;
    finish();
  }

 private:
  struct Arrival {
    EchoStream& stream;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> reader) const noexcept { stream.reader_ = reader; }
    void await_resume() const noexcept {}
  };
  void wake() {
    if (pending_.empty() && !ended_) return;
    // Later, not here: the reader may end the connection while its writer is still in write().
    if (auto reader = std::exchange(reader_, {})) home_.post([reader] { reader.resume(); });
  }

  Executor& home_;
  WebSocketEcho echo_;
  std::string pending_, sending_;
  std::coroutine_handle<> reader_;
  bool ended_ = false;
  bool aborted_ = false;
};

}  // namespace

std::string WebSocketEcho::feed(std::string_view bytes) {
  std::string out;
  buffer_ += bytes;
  while (!closed_ && take_frame(out)) {
  }
  if (closed_) buffer_.clear();
  return out;
}

bool WebSocketEcho::take_frame(std::string& out) {
  if (buffer_.size() < 2) return false;
  const auto first = static_cast<std::uint8_t>(buffer_[0]);
  const auto second = static_cast<std::uint8_t>(buffer_[1]);
  const std::uint8_t opcode = first & 0x0f;
  if ((first & 0x70) != 0 || (second & 0x80) == 0) {
    close(out, kProtocolError);
    return false;
  }
  std::uint64_t length = second & 0x7f;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  const std::size_t head = 2 + extended + 4;
  if (buffer_.size() < head) return false;
  if (extended > 0) length = big_endian(std::string_view(buffer_).substr(2, extended));
  if (length > kFrameLimit) {
    close(out, kTooBig);
    return false;
  }
  if (buffer_.size() < head + length) return false;
  std::string payload = buffer_.substr(head, length);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ buffer_[head - 4 + i % 4]);
  }
  buffer_.erase(0, head + length);
  if (opcode == kPong) return true;
  const std::uint8_t answer = opcode == kPing ? std::uint8_t{0x80 | kPong} : first;
  append_frame(out, answer, payload);
  closed_ = opcode == kClose;
  return true;
}

void WebSocketEcho::close(std::string& out, std::uint16_t code) {
  const std::array<char, 2> payload = {static_cast<char>(code >> 8),
                                       static_cast<char>(code & 0xff)};
  append_frame(out, 0x80 | kClose, {payload.data(), payload.size()});
  closed_ = true;
}

std::string websocket_accept(std::string_view key) {
  const std::string input = std::string(key) + std::string(kAcceptSuffix);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base64_encode({reinterpret_cast<const char*>(digest.data()), size});
}

http::Response echo_websocket(const http::Request& request, Executor& home) {
  const auto key = request.headers.get("sec-websocket-key");
  if (request.upgrade != "websocket" || !key) {
    http::Response refusal =
        http::make_response(426, "text/plain; charset=utf-8", "This is a WebSocket.\n");
    refusal.headers.set("Upgrade", "websocket");
    return refusal;
  }
  http::Response response;
  response.status = 101;
  response.headers.add("Sec-WebSocket-Accept", websocket_accept(*key));
  response.upgrade = std::make_unique<EchoStream>(home);
  return response;
}

}  // namespace gatehouse::app
