#include <algorithm>
#include <charconv>

#include "net/http1/codec.h"
#include "net/http1/framing_fields.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http1 {
namespace {

using http::equal_ignoring_case;

template <int Base>
void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, Base).ptr;
  out.append(digits, end);
}

void append_value(std::string& out, std::string_view value) {
  const std::size_t start = out.size();
  out.append(value);
  if (skip_value(value, 0) == value.size()) return;
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
      [](char c) { return !is_of(c, kValueByte | kObsTextByte); }, ' ');
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  append_value(out, value);
  out.append("\r\n");
}

enum class OwnLength { kLeftOut, kKept };

void append_fields(std::string& out, const http::Headers& headers, OwnLength own_length) {
  for (const http::Field field : headers) {
    const bool kept =
        !is_framing_name(field.name) ||
        (own_length == OwnLength::kKept && equal_ignoring_case(field.name, "content-length"));
    if (kept) append_field(out, field.name, field.value);
  }
}

void append_framing(std::string& out, const Framing& framing) {
  switch (framing.kind) {
    case Framing::Kind::kLength:
      out.append("Content-Length: ");
      append_number<10>(out, framing.length);
      out.append("\r\n");
      return;
    case Framing::Kind::kChunked:
      out.append("Transfer-Encoding: chunked\r\n");
      return;
    case Framing::Kind::kNone:
    case Framing::Kind::kUntilClose:
      return;
  }
}

void append_upgrade(std::string& out, std::string_view protocol) {
  append_field(out, "Connection", "Upgrade");
  append_field(out, "Upgrade", protocol);
}

}  // namespace

void write_request_head(std::string& out, const http::Request& request, const Framing& framing,
                        bool keep_alive) {
  out.append(request.method).append(" ").append(request.target.str()).append(" HTTP/1.1\r\n");
  append_field(out, "Host", request.authority);
  append_fields(out, request.headers, OwnLength::kLeftOut);
  append_framing(out, framing);
  const bool trailers = request.headers.list_has("te", "trailers");
  if (trailers) out.append("TE: trailers\r\n");
  if (!request.upgrade.empty()) {
    append_upgrade(out, request.upgrade);
  } else if (!keep_alive) {
    out.append(trailers ? "Connection: close, TE\r\n" : "Connection: close\r\n");
  } else if (trailers) {
    out.append("Connection: TE\r\n");
  }
  out.append("\r\n");
}

void write_response_head(std::string& out, const http::Response& response, const Framing& framing,
                         bool keep_alive, http::Version version) {
  out.append("HTTP/1.1 ");
  append_number<10>(out, static_cast<std::uint64_t>(response.status));
  out.append(" ").append(http::reason_phrase(response.status)).append("\r\n");
  const bool without_body = framing.kind == Framing::Kind::kNone;
  append_fields(out, response.headers, without_body ? OwnLength::kKept : OwnLength::kLeftOut);
  append_framing(out, framing);
  if (!keep_alive) {
    out.append("Connection: close\r\n");
  } else if (version == http::Version::kHttp10) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

void write_upgrade_head(std::string& out, const http::Response& response,
                        std::string_view protocol) {
  out.append("HTTP/1.1 101 Switching Protocols\r\n");
  append_fields(out, response.headers, OwnLength::kLeftOut);
  append_upgrade(out, protocol);
  out.append("\r\n");
}

void write_chunk_size(std::string& out, std::size_t size) {
  append_number<16>(out, size);
  out.append("\r\n");
}

void write_last_chunk(std::string& out, const http::Headers& trailers) {
  out.append("0\r\n");
  for (const http::Field field : trailers) {
    if (is_allowed_trailer(field.name)) append_field(out, field.name, field.value);
  }
  out.append("\r\n");
}

}  // namespace gatehouse::net::http1
