// Makes a request's head of the fields of an HTTP/2 header block (RFC 9113 §8.3.1, RFC 8441 §4).
// Pure. What is refused here is what HTTP/1.1's head is refused for; what makes a block malformed
// in itself (pseudo-fields doubled or behind others, upper case, connection-specific fields) has
// been refused by nghttp2, as a stream error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/last_authority.h"
#include "http/message.h"
#include "net/http1/codec.h"

namespace gatehouse::net::http2 {

class RequestFields {
 public:
  /// Clears `request` and fills it from then on; keeps its memory.
  void begin(http::Request& request, const http1::Limits& limits);
  void take(std::string_view name, std::string_view value);
  /// The first reason counts.
  void refuse(int status, std::string_view reason);
  /// After the last field. nullopt if the request may be handled.
  std::optional<http1::Refusal> finish();

  /// The Content-Length that came.
  std::optional<std::uint64_t> length() const { return length_; }
  bool expects_continue() const { return expects_continue_; }

 private:
  void take_pseudo(std::string_view name, std::string_view value);
  void take_regular(std::string_view name, std::string_view value);
  void take_length(std::string_view value);
  void take_cookie(std::string_view value);
  void interpret_method();
  void interpret_authority();
  void interpret_target();

  http::Request* request_ = nullptr;
  http1::Limits limits_;
  std::string path_, scheme_, authority_, host_, protocol_, cookie_;
  http::LastAuthority last_authority_;
  std::optional<std::uint64_t> length_;
  std::optional<http1::Refusal> refusal_;
  std::size_t bytes_ = 0, fields_ = 0;
  bool has_authority_ = false, has_host_ = false, has_cookie_ = false;
  bool expects_continue_ = false;
};

/// RFC 9110 §8.6: digits alone. nullopt for anything else, and for more than 18 of them.
std::optional<std::uint64_t> parse_length(std::string_view value);

}  // namespace gatehouse::net::http2
