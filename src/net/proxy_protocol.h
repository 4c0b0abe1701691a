// The header that a proxy in front puts before a connection's own bytes, so that we learn the
// client's address: versions 1 and 2 of HAProxy's PROXY protocol (proxy-protocol.txt, 2020/03/05).
//
// Pure: looks at what has come so far. Not for deciding whom to believe; a listener that asks for
// the header takes it from everybody who can connect. What a header says beyond addresses (TLVs)
// is skipped.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "net/stream.h"

namespace gatehouse::net {

/// Longest header of version 1, line end included (§2.1).
inline constexpr std::size_t kProxyLineBytes = 107;
/// Longest header of version 2 that is taken, its TLVs included; the protocol allows 65,551.
inline constexpr std::size_t kProxyHeaderBytes = 4096;

struct ProxyHeader {
  enum class State {
    kIncomplete,  // may become a header: read more
    kComplete,
    kInvalid,  // no header, whatever follows
  };
  State state = State::kIncomplete;
  std::size_t size = 0;  // of a complete header; the connection's own bytes follow
  /// Who connected to the proxy. Null: whoever connected to us (UNKNOWN, LOCAL, a UNIX socket).
  std::optional<Endpoint> source;
};

/// Of the bytes that a connection began with. Decided after kProxyHeaderBytes at the latest.
ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace gatehouse::net
