#include <algorithm>
#include <charconv>

#include "net/http1/codec.h"
#include "net/http1/framing_fields.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http1 {
namespace {

using http::copy_text;
using http::equal_ignoring_case;

template <int Base>
void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, Base).ptr;
  out.append(digits, end);
}

constexpr std::string_view kColon = ": ";
constexpr std::string_view kLineEnd = "\r\n";

char* put_value(char* to, std::string_view value) {
  char* const end = copy_text(to, value);
  if (http::skip_value_bytes(value, 0) != value.size()) {
    std::replace_if(to, end, [](char c) { return !http::is_value_byte(c); }, ' ');
  }
  return end;
}

char* put_field(char* to, std::string_view name, std::string_view value) {
  to = copy_text(copy_text(to, name), kColon);
  return copy_text(put_value(to, value), kLineEnd);
}

std::size_t length_of(http::Field field) {
  return field.name.size() + kColon.size() + field.value.size() + kLineEnd.size();
}

/// Grows `out` by at most `most` bytes, as many as `write(char*)` says by the place that it gives.
template <class Write>
void grow(std::string& out, std::size_t most, Write write) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + most, [&](char* text, std::size_t) {
    return static_cast<std::size_t>(write(text + before) - text);
  });
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  grow(out, length_of({name, value}), [&](char* to) { return put_field(to, name, value); });
}

enum class OwnLength { kLeftOut, kKept };

bool goes_out(std::string_view name, OwnLength own_length) {
  return !is_framing_name(name) ||
         (own_length == OwnLength::kKept && equal_ignoring_case(name, "content-length"));
}

/// Lines that lie one behind the other in the headers go by one copy.
void append_fields(std::string& out, const http::Headers& headers, OwnLength own_length) {
  grow(out, headers.bytes(), [&](char* to) {
    std::string_view run = "";
    for (std::size_t i = 0; i < headers.size(); ++i) {
      const http::Field field = headers.at(i);
      if (!goes_out(field.name, own_length)) continue;
      const std::string_view line = headers.line(i);
      const bool clean = http::skip_value_bytes(field.value, 0) == field.value.size();
      if (clean && line.data() == run.data() + run.size()) {
        run = {run.data(), run.size() + line.size()};
        continue;
      }
      to = copy_text(to, run);
      run = clean ? line : "";
      if (!clean) to = put_field(to, field.name, field.value);
    }
    return copy_text(to, run);
  });
}

void append_framing(std::string& out, const Framing& framing) {
  switch (framing.kind) {
    case Framing::Kind::kLength:
      out.append("Content-Length: ");
      append_number<10>(out, framing.length);
      out.append(kLineEnd);
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
  const bool connects = request.upgrade == http::kConnect;
  out.append(request.method).append(" ");
  out.append(connects ? std::string_view(request.authority) : request.target.str());
  out.append(" HTTP/1.1\r\n");
  append_field(out, "Host", request.authority);
  append_fields(out, request.headers, OwnLength::kLeftOut);
  append_framing(out, framing);
  const bool trailers = request.headers.list_has("te", "trailers");
  if (trailers) out.append("TE: trailers\r\n");
  if (!request.upgrade.empty()) {
    if (!connects) append_upgrade(out, request.upgrade);
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
  const bool connects = protocol == http::kConnect;
  out.append(connects ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 101 Switching Protocols\r\n");
  append_fields(out, response.headers, OwnLength::kLeftOut);
  if (!connects) append_upgrade(out, protocol);
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
