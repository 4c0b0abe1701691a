#include "gatekeeper/request_kind.h"

#include <string>

#include "http/html.h"

namespace gatehouse::gatekeeper {
namespace {

bool is_grpc(const http::Headers& headers) {
  const std::string type = http::lower_case(headers.get("content-type").value_or(""));
  return type.starts_with("application/grpc");
}

/// Also when a gateway asks about it: Upgrade stays on its own connection, this field comes along.
bool is_websocket(const http::Request& request) {
  return !request.upgrade.empty() || request.headers.has("sec-websocket-key");
}

bool is_preflight(const http::Request& request) {
  return request.method == "OPTIONS" && request.headers.has("access-control-request-method");
}

}  // namespace

bool can_log_in(const http::Request& request) {
  const http::Headers& headers = request.headers;
  if (is_websocket(request) || is_preflight(request)) return false;
  if (headers.has("x-requested-with") || is_grpc(headers)) return false;
  if (headers.get("sec-fetch-mode").value_or("navigate") != "navigate") return false;
  if (request.method == "GET" || request.method == "HEAD") return true;
  return http::accepts_html(headers);
}

}  // namespace gatehouse::gatekeeper
