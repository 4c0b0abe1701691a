// The server name of a ClientHello: what a prefix has decided, more bytes do not change; a name has
// nothing in it but what host names have.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/client_hello.h"

namespace {

using gatehouse::net::ClientHello;
using State = ClientHello::State;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ClientHello whole = gatehouse::net::parse_client_hello(bytes);
  require(whole.state != State::kIncomplete || bytes.size() < gatehouse::net::kClientHelloBytes);
  require(whole.state == State::kComplete || whole.server_name.empty());
  require(std::ranges::none_of(
      whole.server_name, [](char c) { return c <= ' ' || c >= '\x7f' || (c >= 'A' && c <= 'Z'); }));
  const std::size_t cut = bytes.size() * data[0] / 256;
  const ClientHello part = gatehouse::net::parse_client_hello(bytes.substr(0, cut));
  if (part.state != State::kIncomplete) {
    require(part.state == whole.state && part.server_name == whole.server_name);
  }
  return 0;
}
