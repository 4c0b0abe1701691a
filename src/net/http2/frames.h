// HTTP/2 frames on the wire (RFC 9113 §4, §6): heads, types, flags, error codes. What nghttp2
// names too, named here so that the headers of this folder need not include it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse::net::http2 {

inline constexpr std::size_t kFrameHeadBytes = 9;
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class FrameType : std::uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9
};

inline constexpr std::uint8_t kEndStreamFlag = 0x1;
inline constexpr std::uint8_t kAckFlag = 0x1;
inline constexpr std::uint8_t kEndHeadersFlag = 0x4;
inline constexpr std::uint8_t kPaddedFlag = 0x8;

/// RFC 9113 §7.
enum class FrameError : std::uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kFlowControlError = 3,
  kSettingsTimeout = 4,
  kStreamClosed = 5,
  kFrameSizeError = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kCompressionError = 9,
  kConnectError = 10,
  kEnhanceYourCalm = 11,
  kInadequateSecurity = 12,
  kHttp11Required = 13
};

struct FrameHead {
  std::uint32_t length = 0;
  FrameType type = FrameType::kData;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

}  // namespace gatehouse::net::http2
