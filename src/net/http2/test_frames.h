// For tests: HTTP/2 frames made and read byte by byte, so that a peer may say what no library lets
// it say.
#pragma once

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http2/frames.h"
#include "net/test_http.h"

namespace gatehouse::net::http2 {

inline std::string number(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = bytes; i-- > 0;) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

inline std::string frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                         std::string_view payload = {}) {
  return number(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         number(stream, 4) + std::string(payload);
}

using FieldPairs = std::vector<std::pair<std::string, std::string>>;

/// Literal fields without indexing (RFC 7541 §6.2.2), each text shorter than 127 bytes or not.
inline std::string hpack_text(std::string_view text) {
  std::string out;
  if (text.size() < 127) return out.append(1, static_cast<char>(text.size())).append(text);
  out.push_back(0x7f);
  std::size_t rest = text.size() - 127;
  while (rest >= 128) {
    out.push_back(static_cast<char>(rest % 128 + 128));
    rest /= 128;
  }
  out.push_back(static_cast<char>(rest));
  return out.append(text);
}
inline std::string hpack(const FieldPairs& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += '\0' + hpack_text(name) + hpack_text(value);
  return out;
}

inline FieldPairs request_fields(std::string method = "GET", std::string path = "/",
                                 FieldPairs more = {}) {
  FieldPairs fields = {{":method", std::move(method)},
                       {":scheme", "http"},
                       {":path", std::move(path)},
                       {":authority", "a"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

inline std::string headers(std::uint32_t stream, const FieldPairs& fields,
                           std::uint8_t flags = kEndHeadersFlag | kEndStreamFlag) {
  return frame(FrameType::kHeaders, flags, stream, hpack(fields));
}
inline std::string data(std::uint32_t stream, std::string_view content, bool end) {
  return frame(FrameType::kData, end ? kEndStreamFlag : 0, stream, content);
}
inline std::string setting(std::uint16_t id, std::uint32_t value) {
  return number(id, 2) + number(value, 4);
}
inline std::string settings(std::string_view entries = {}) {
  return frame(FrameType::kSettings, 0, 0, entries);
}
inline std::string reset_of(std::uint32_t stream, FrameError code = FrameError::kCancel) {
  return frame(FrameType::kRstStream, 0, stream, number(static_cast<std::uint32_t>(code), 4));
}
inline std::string window_update(std::uint32_t stream, std::uint32_t bytes) {
  return frame(FrameType::kWindowUpdate, 0, stream, number(bytes, 4));
}

/// A frame that came; of a header block, its fields.
struct ReceivedFrame {
  FrameHead head;
  std::string payload;
  FieldPairs fields;

  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (key == name) return value;
    }
    return "";
  }
  std::uint32_t code(std::size_t at = 0) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      value = value << 8U | static_cast<unsigned char>(payload.at(at + i));
    }
    return value;
  }
};

/// One end of an HTTP/2 connection that sends what it is told.
class RawPeer {
 public:
  explicit RawPeer(std::unique_ptr<RawConnection> connection) : connection_(std::move(connection)) {
    nghttp2_hd_inflate_new(&inflater_);
  }
  ~RawPeer() { nghttp2_hd_inflate_del(inflater_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  RawConnection& raw() { return *connection_; }
  Task<bool> send(std::string bytes) { return connection_->send(std::move(bytes)); }

  /// The next frame; type 0xff at the connection's end.
  Task<ReceivedFrame> next() {
    ReceivedFrame frame;
    frame.head.type = static_cast<FrameType>(0xff);
    const bool has_head = co_await fill(kFrameHeadBytes);
    if (!has_head) co_return frame;
    const auto byte = [this](std::size_t at) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(early_.at(at)));
    };
    const FrameHead head{.length = byte(0) << 16U | byte(1) << 8U | byte(2),
                         .type = static_cast<FrameType>(byte(3)),
                         .flags = static_cast<std::uint8_t>(byte(4)),
                         .stream = byte(5) << 24U | byte(6) << 16U | byte(7) << 8U | byte(8)};
    const bool whole = co_await fill(kFrameHeadBytes + head.length);
    if (!whole) co_return frame;
    frame.head = head;
    frame.payload = early_.substr(kFrameHeadBytes, head.length);
    early_.erase(0, kFrameHeadBytes + head.length);
    if (head.type == FrameType::kHeaders) frame.fields = inflate(frame.payload);
    co_return frame;
  }
  /// Passes over what comes before the next frame of that type; type 0xff if none comes.
  Task<ReceivedFrame> next_of(FrameType type) {
    for (;;) {
      ReceivedFrame frame = co_await next();
      if (frame.head.type == type || is_end(frame)) co_return frame;
    }
  }
  /// The next GOAWAY or RST_STREAM, or the end.
  Task<ReceivedFrame> next_error() {
    for (;;) {
      ReceivedFrame frame = co_await next();
      const bool error =
          frame.head.type == FrameType::kGoaway || frame.head.type == FrameType::kRstStream;
      if (error || is_end(frame)) co_return frame;
    }
  }
  static bool is_end(const ReceivedFrame& frame) {
    return frame.head.type == static_cast<FrameType>(0xff);
  }

  /// What has come on a stream. Those of others that came meanwhile are kept.
  struct Answer {
    std::string status, body;
    FieldPairs fields, trailers;
    bool ended = false;
    std::optional<FrameError> reset;
    std::string field(std::string_view name) const {
      return ReceivedFrame{.fields = fields}.field(name);
    }
  };
  Task<Answer> answer(std::uint32_t stream) {
    while (!answers_[stream].ended && !answers_[stream].reset) {
      const ReceivedFrame frame = co_await next();
      if (is_end(frame)) break;
      take(answers_[frame.head.stream], frame);
    }
    co_return answers_[stream];
  }

 private:
  static void take(Answer& answer, const ReceivedFrame& frame) {
    switch (frame.head.type) {
      case FrameType::kRstStream:
        answer.reset = static_cast<FrameError>(frame.code());
        return;
      case FrameType::kHeaders:
        if (answer.status.empty()) {
          answer.status = frame.field(":status");
          answer.fields = frame.fields;
          if (answer.status.starts_with("1")) answer.status.clear();
        } else {
          answer.trailers = frame.fields;
        }
        break;
      case FrameType::kData:
        answer.body += frame.payload;
        break;
      default:
        return;
    }
    answer.ended = frame.head.has(kEndStreamFlag);
  }
  Task<bool> fill(std::size_t size) {
    while (early_.size() < size) {
      std::string more(16 * 1024, '\0');
      const IoResult got = connection_->stream().try_read(more);
      if (got.kind == IoResult::Kind::kDone) {
        early_.append(more, 0, got.bytes);
        continue;
      }
      if (got.kind != IoResult::Kind::kWouldBlock) co_return false;
      const Result<void> readable = co_await connection_->stream().readable();
      if (!readable) co_return false;
    }
    co_return true;
  }
  FieldPairs inflate(std::string_view block) {
    FieldPairs fields;
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    for (;;) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, left, 1);
      if (used < 0) {
        ADD_FAILURE() << "a header block that cannot be read";
        return fields;
      }
      in += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.emplace_back(std::string(reinterpret_cast<char*>(field.name), field.namelen),
                            std::string(reinterpret_cast<char*>(field.value), field.valuelen));
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return fields;
  }

  std::unique_ptr<RawConnection> connection_;
  std::string early_;
  std::map<std::uint32_t, Answer> answers_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace gatehouse::net::http2
