#include "net/client_hello.h"

#include <algorithm>
#include <cstdint>

#include "http/headers.h"

namespace gatehouse::net {

namespace {

using State = ClientHello::State;

// Record and handshake (RFC 8446 §5.1, §4).
constexpr unsigned kHandshakeRecord = 22;
constexpr unsigned kMajorVersion = 3;
constexpr std::size_t kLongestRecord = 1U << 14U;
constexpr unsigned kClientHelloMessage = 1;
constexpr std::size_t kMessageHead = 4;
// ClientHello (§4.1.2).
constexpr std::size_t kVersionAndRandom = 2 + 32, kLongestSessionId = 32;
constexpr unsigned kServerNameExtension = 0;
// server_name (RFC 6066 §3).
constexpr unsigned kHostName = 0;

/// Takes big-endian numbers and the strings that they are the lengths of. False once there is less
/// than what is asked for.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool number(std::size_t width, std::size_t& out) {
    if (rest_.size() < width) return false;
    out = 0;
    for (const char c : rest_.substr(0, width)) out = out << 8U | static_cast<std::uint8_t>(c);
    rest_.remove_prefix(width);
    return true;
  }
  bool bytes(std::size_t count, std::string_view& out) {
    if (rest_.size() < count) return false;
    out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }
  bool vector(std::size_t width, std::string_view& out) {
    std::size_t length = 0;
    return number(width, length) && bytes(length, out);
  }
  bool at_end() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

/// The handshake's bytes without the heads of their records, up to the end of the first message.
State unwrap(std::string_view bytes, std::string& message) {
  Reader reader(bytes.substr(0, kClientHelloBytes));
  const State cut = bytes.size() >= kClientHelloBytes ? State::kInvalid : State::kIncomplete;
  for (;;) {
    std::size_t type = 0, major = 0, minor = 0, length = 0;
    if (!reader.number(1, type)) return cut;
    if (type != kHandshakeRecord) return message.empty() ? State::kNotTls : State::kInvalid;
    if (!reader.number(1, major)) return cut;
    if (major != kMajorVersion) return State::kInvalid;
    if (!reader.number(1, minor) || !reader.number(2, length)) return cut;
    if (length == 0 || length > kLongestRecord) return State::kInvalid;
    std::string_view fragment;
    const bool whole = reader.bytes(length, fragment);
    if (!whole) reader.bytes(std::min(length, reader.left()), fragment);
    message += fragment;
    Reader head(message);
    std::size_t message_type = 0, message_length = 0;
    if (head.number(1, message_type) && message_type != kClientHelloMessage) return State::kInvalid;
    if (head.number(3, message_length)) {
      if (message_length > kClientHelloBytes) return State::kInvalid;
      if (message.size() >= kMessageHead + message_length) {
        message.resize(kMessageHead + message_length);
        return State::kComplete;
      }
    }
    if (!whole) return cut;
  }
}

bool is_host_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, allowed);
}

State read_extensions(std::string_view extensions, std::string& server_name) {
  Reader reader(extensions);
  bool named = false;
  while (!reader.at_end()) {
    std::size_t type = 0;
    std::string_view content;
    if (!reader.number(2, type) || !reader.vector(2, content)) return State::kInvalid;
    if (type != kServerNameExtension) continue;
    const auto name = name_in_extension(content);
    if (named || !name || !is_host_name(*name)) return State::kInvalid;
    named = true;
    server_name = http::lower_case(*name);
  }
  return State::kComplete;
}

State read_message(std::string_view message, std::string& server_name) {
  Reader reader(message.substr(kMessageHead));
  std::string_view ignored, session_id, ciphers, compressions, extensions;
  const bool framed = reader.bytes(kVersionAndRandom, ignored) && reader.vector(1, session_id) &&
                      reader.vector(2, ciphers) && reader.vector(1, compressions);
  if (!framed || session_id.size() > kLongestSessionId || ciphers.empty() ||
      ciphers.size() % 2 != 0 || compressions.empty()) {
    return State::kInvalid;
  }
  // TLS 1.2 may be without any.
  if (reader.at_end()) return State::kComplete;
  if (!reader.vector(2, extensions) || !reader.at_end()) return State::kInvalid;
  return read_extensions(extensions, server_name);
}

}  // namespace

std::optional<std::string_view> name_in_extension(std::string_view extension) {
  Reader reader(extension);
  std::string_view list, name;
  std::size_t type = 0;
  if (!reader.vector(2, list) || !reader.at_end()) return std::nullopt;
  Reader entry(list);
  if (!entry.number(1, type) || type != kHostName) return std::nullopt;
  if (!entry.vector(2, name) || !entry.at_end() || name.empty()) return std::nullopt;
  return name;
}

ClientHello parse_client_hello(std::string_view bytes) {
  ClientHello hello;
  std::string message;
  hello.state = unwrap(bytes, message);
  if (hello.state == State::kComplete) hello.state = read_message(message, hello.server_name);
  if (hello.state != State::kComplete) hello.server_name.clear();
  return hello;
}

}  // namespace gatehouse::net
