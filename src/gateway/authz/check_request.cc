#include "gateway/authz/check_request.h"

#include <external_auth.pb.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/utf8.h"
#include "gateway/authz/question.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

namespace v3 = envoy::service::auth::v3;
using Attributes = v3::AttributeContext;
using Map = google::protobuf::Map<std::string, std::string>;

constexpr std::int64_t kUnknownSize = -1;

std::string utf8_field(std::string_view value) {
  if (is_utf8(value)) return std::string(value);
  std::string out;
  for (const char c : value) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out.push_back(c);
    } else {
      out += http::percent_encode(std::string_view(&c, 1));
    }
  }
  return out;
}

/// As Envoy names whom a certificate is for: its first URI, else its first DNS name, else its
/// subject.
const std::string& principal_of(const http::ClientCertificate& certificate) {
  if (!certificate.uris.empty()) return certificate.uris.front();
  if (!certificate.dns_names.empty()) return certificate.dns_names.front();
  return certificate.subject;
}

void tell_peer(const http::Request& request, Attributes& attributes) {
  if (!request.peer) return;
  if (request.peer->certificate) {
    attributes.mutable_source()->set_principal(
        utf8_field(principal_of(*request.peer->certificate)));
  }
  if (request.peer->local_port != 0) {
    attributes.mutable_destination()->mutable_address()->mutable_socket_address()->set_port_value(
        request.peer->local_port);
  }
  v3::SocketAddress& address =
      *attributes.mutable_source()->mutable_address()->mutable_socket_address();
  address.set_address(utf8_field(request.peer->address));
  address.set_port_value(request.peer->port);
  if (!request.peer->server_name.empty()) {
    attributes.mutable_tls_session()->set_sni(utf8_field(request.peer->server_name));
  }
}

void tell_time(WallTime now, Attributes& attributes) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  v3::Timestamp& time = *attributes.mutable_request()->mutable_time();
  time.set_seconds(seconds.time_since_epoch().count());
  time.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(now - seconds).count()));
}

void tell_fields(const http::Headers& told, Map& map) {
  for (const http::Field field : told) {
    std::string name = http::lower_case(field.name);
    const bool is_cookie = name == "cookie";
    const auto [place, fresh] = map.insert({std::move(name), std::string()});
    if (!fresh) place->second += is_cookie ? "; " : ",";
    place->second += field.value;
  }
  for (auto& [name, value] : map) {
    if (!is_utf8(value)) value = utf8_field(value);
  }
}

std::string_view protocol_of(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "HTTP/1.0";
    case http::Version::kHttp2:
      return "HTTP/2";
    default:
      return "HTTP/1.1";
  }
}

std::int64_t size_of(const http::Body& body) {
  if (!body.stream) return static_cast<std::int64_t>(body.bytes.size());
  return body.length ? static_cast<std::int64_t>(*body.length) : kUnknownSize;
}

void tell_request(const http::Request& request, std::string_view scheme,
                  Attributes::HttpRequest& http) {
  http.set_id(utf8_field(request.trace.request_id));
  http.set_method(utf8_field(request.method));
  http.set_path(utf8_field(request.target.str()));
  http.set_host(utf8_field(request.authority));
  http.set_scheme(std::string(scheme));
  http.set_protocol(std::string(protocol_of(request.version)));
  http.set_size(size_of(request.body));
  Map& map = *http.mutable_headers();
  map[":method"] = http.method();
  map[":path"] = http.path();
  map[":authority"] = http.host();
  map[":scheme"] = http.scheme();
}

void tell_body(const http::Request& request, std::size_t limit, Attributes::HttpRequest& http) {
  if (limit == 0) return;
  const ToldBody told = told_body(request, limit);
  (*http.mutable_headers())[std::string(kPartialBodyField)] = told.partial ? "true" : "false";
  if (is_utf8(told.bytes)) {
    http.set_body(std::string(told.bytes));
  } else {
    http.set_body(replace_invalid_utf8(told.bytes));
    http.set_raw_body(std::string(told.bytes));
  }
}

}  // namespace

std::string make_check_request(const http::Request& request, const http::Headers& told,
                               std::string_view scheme, std::size_t body_limit, WallTime now) {
  v3::CheckRequest message;
  Attributes& attributes = *message.mutable_attributes();
  tell_peer(request, attributes);
  tell_time(now, attributes);
  Attributes::HttpRequest& http = *attributes.mutable_request()->mutable_http();
  tell_fields(told, *http.mutable_headers());
  tell_request(request, scheme, http);
  tell_body(request, body_limit, http);
  if (request.auth_context) {
    for (const auto& [name, value] : *request.auth_context) {
      (*attributes.mutable_context_extensions())[utf8_field(name)] = utf8_field(value);
    }
  }
  return message.SerializeAsString();
}

}  // namespace gatehouse::gateway
