#include "net/websocket_handshake.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "base/encoding.h"

namespace gatehouse::net {
namespace {

constexpr std::string_view kKeyField = "sec-websocket-key";
constexpr std::string_view kAcceptField = "sec-websocket-accept";
constexpr std::string_view kVersionField = "sec-websocket-version";
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeyBytes = 16;

bool asks_for_websocket(const http::Request& request) {
  return request.upgrade == "websocket";
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  std::string text(key);
  text.append(kGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  // Nothing secret hangs on SHA-1 here: it tells a WebSocket server from what is none.
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) {
    return {};
  }
  return base64_encode({reinterpret_cast<const char*>(digest.data()), size});
}

void add_websocket_key(http::Request& request) {
  const bool has_none_by_protocol = request.version == http::Version::kHttp2;
  if (!asks_for_websocket(request) || !has_none_by_protocol) return;
  if (request.headers.has(kKeyField)) return;
  std::array<unsigned char, kKeyBytes> key{};
  // The system's generator does not fail once it has been seeded.
  if (RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) std::abort();
  request.headers.add("Sec-WebSocket-Key",
                      base64_encode({reinterpret_cast<const char*>(key.data()), key.size()}));
  if (!request.headers.has(kVersionField)) request.headers.add("Sec-WebSocket-Version", "13");
}

bool accepts_websocket_key(const http::Request& request, const http::Headers& answer) {
  if (!asks_for_websocket(request)) return true;
  const std::optional<std::string_view> key = request.headers.only(kKeyField);
  const std::optional<std::string_view> accept = answer.only(kAcceptField);
  return key && accept && *accept == websocket_accept(*key);
}

void complete_websocket_answer(const http::Request& request, http::Response& response) {
  const std::optional<std::string_view> key = request.headers.only(kKeyField);
  if (!asks_for_websocket(request) || !key || response.headers.has(kAcceptField)) return;
  response.headers.add("Sec-WebSocket-Accept", websocket_accept(*key));
}

}  // namespace gatehouse::net
