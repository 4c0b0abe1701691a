#include "net/proxied_connection.h"

#include <array>
#include <span>
#include <string>
#include <utility>

namespace gatehouse::net {

namespace {

/// Nearly every header fits; none is longer than kProxyHeaderBytes.
constexpr std::size_t kReadBytes = 512;

enum class More { kYes, kNotYet, kNever };

More read_more(SocketStream& stream, std::string& bytes) {
  std::array<char, kReadBytes> block;
  const IoResult got = stream.try_read(block);
  if (got.kind == IoResult::Kind::kWouldBlock || got.kind == IoResult::Kind::kFailed) {
    return More::kNotYet;  // the wait says what has failed
  }
  if (got.kind == IoResult::Kind::kEnd) return More::kNever;
  bytes.append(block.data(), got.bytes);
  return More::kYes;
}

}  // namespace

Task<Result<ProxyHeader>> read_proxy_header(SocketStream& stream) {
  std::string bytes;
  for (;;) {
    const More more = read_more(stream, bytes);
    if (more == More::kNotYet) {
      Result<void> readable = co_await stream.readable();
      if (!readable) co_return fail(std::move(readable));
      continue;
    }
    ProxyHeader header = parse_proxy_header(bytes);
    if (header.state == ProxyHeader::State::kComplete) {
      stream.put_back(std::string_view(bytes).substr(header.size));
      co_return header;
    }
    if (header.state == ProxyHeader::State::kInvalid || more == More::kNever) {
      co_return fail(ErrorCode::kCorrupt, "the connection does not begin with a PROXY header");
    }
  }
}

}  // namespace gatehouse::net
