// The server name that a TLS client asks for, read from its first message, for connections whose
// TLS passes through us (RFC 8446 §4.1.2, RFC 6066 §3).
//
// Pure: looks at what has come so far, in as many records as it may be cut into. Not a TLS stack:
// what the message says beyond the name is checked for its frame alone, and unknown (GREASE)
// values are no matter.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::net {

/// Longest beginning of a connection that is looked at, records' heads included.
inline constexpr std::size_t kClientHelloBytes = 16 * 1024;

struct ClientHello {
  enum class State {
    kIncomplete,  // read more
    kComplete,
    kNotTls,   // the first byte begins no TLS
    kInvalid,  // TLS that is damaged, too long, or does not begin with a ClientHello
  };
  State state = State::kIncomplete;
  std::string server_name;  // lower case; empty if none is asked for
};

/// Of the bytes that a connection began with. Decided after kClientHelloBytes at the latest.
ClientHello parse_client_hello(std::string_view bytes);

/// The name in a server_name extension, as it is there; nullopt if the extension is damaged.
std::optional<std::string_view> name_in_extension(std::string_view extension);

}  // namespace gatehouse::net
