// How often each limit of the edge has struck, for metrics: one object a loop, counted there and
// read from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse::net {

enum class Limit : std::uint8_t {
  kConnections,            // of a listener
  kConnectionsPerAddress,  // of one client
  kHandshakeTimeout,       // TLS, or the PROXY protocol's header
  kHeadBytes,              // 431
  kHeaderFields,           // 431
  kTargetBytes,            // 414
  kHeadTimeout,            // 408
  kBodyBytes,              // 413
  kBodyTimeout,            // no progress, or too slow
  kWriteTimeout,           // the client takes nothing of its answer
  kKeepAliveTimeout,       // idle between requests
  kTunnelTimeout,          // idle after an upgrade
  kRequestsPerConnection,
  kStreams,        // HTTP/2: refused over SETTINGS_MAX_CONCURRENT_STREAMS
  kResets,         // HTTP/2: streams reset too often (CVE-2023-44487)
  kContinuations,  // HTTP/2: too many CONTINUATION frames (CVE-2024-27919)
  kControlFrames,  // HTTP/2: PING, SETTINGS, empty DATA too often
  kCount
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Limit::kCount)> kLimitNames =
    {"connections",
     "connections_per_address",
     "handshake_timeout",
     "head_bytes",
     "header_fields",
     "target_bytes",
     "head_timeout",
     "body_bytes",
     "body_timeout",
     "write_timeout",
     "keep_alive_timeout",
     "tunnel_timeout",
     "requests_per_connection",
     "streams",
     "resets",
     "continuation_frames",
     "control_frames"};

class LimitCounts {
 public:
  /// On the loop that owns this.
  void struck(Limit limit) {
    std::atomic<std::uint64_t>& count = counts_[static_cast<std::size_t>(limit)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// From any thread.
  std::uint64_t count(Limit limit) const {
    return counts_[static_cast<std::size_t>(limit)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Limit::kCount)> counts_{};
};

}  // namespace gatehouse::net
