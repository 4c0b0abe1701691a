// The PROXY protocol's header: what a prefix has decided, more bytes do not change; a complete
// header lies within the limits and its address is one.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/proxy_protocol.h"
#include "net/socket_address.h"

namespace {

using gatehouse::net::ProxyHeader;
using State = ProxyHeader::State;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ProxyHeader whole = gatehouse::net::parse_proxy_header(bytes);
  require(whole.state != State::kIncomplete || bytes.size() < gatehouse::net::kProxyHeaderBytes);
  if (whole.state == State::kComplete) {
    require(whole.size <= std::min(bytes.size(), gatehouse::net::kProxyHeaderBytes));
    require(!whole.source || gatehouse::net::is_ip_address(whole.source->host));
  }
  const std::size_t cut = bytes.size() * data[0] / 256;
  const ProxyHeader part = gatehouse::net::parse_proxy_header(bytes.substr(0, cut));
  if (part.state != State::kIncomplete) {
    require(part.state == whole.state && part.size == whole.size);
  } else if (whole.state == State::kComplete) {
    require(cut < whole.size);
  }
  return 0;
}
