#include "gateway/observe/operations.h"

#include "gateway/observe/diagnostics_page.h"
#include "http/html.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";

constexpr std::string_view kDiagnostics = "/ambassador/v0/diag/";
constexpr std::string_view kStyle = "/ambassador/v0/diag/style.css";
constexpr std::string_view kAsJson = "/ambassador/v0/diag/?json=true";

bool wants_json(const http::Request& request) {
  const Result<http::Parameters> query = http::parse_form(request.target.query());
  return query && http::single(*query, "json") == "true";
}

}  // namespace

http::Response Operations::answer(const http::Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    http::Response response = http::make_response(405, kPlain, "only GET and HEAD\n");
    response.headers.add("Allow", "GET, HEAD");
    return response;
  }
  const std::string_view path = request.target.path();
  if (path == "/metrics") return http::make_response(200, kExposition, parts_.metrics.text());
  if (path == "/healthz/live" || path == "/ambassador/v0/check_alive") {
    return http::make_response(200, kPlain, "alive\n");
  }
  if (path == "/healthz/ready" || path == "/ambassador/v0/check_ready") return readiness();
  if (parts_.diagnose) {
    if (path == kDiagnostics) return diagnostics(request);
    if (path == kDiagnostics.substr(0, kDiagnostics.size() - 1)) {
      return http::redirect(301, kDiagnostics);
    }
    if (path == kStyle) {
      return http::make_response(200, "text/css; charset=utf-8", diagnostics_style());
    }
  }
  return http::make_response(404, kPlain, "no such page\n");
}

http::Response Operations::readiness() const {
  return parts_.ready() ? http::make_response(200, kPlain, "ready\n")
                        : http::make_response(503, kPlain, "not ready\n");
}

http::Response Operations::diagnostics(const http::Request& request) const {
  const DiagnosticSnapshot snapshot = parts_.diagnose();
  if (wants_json(request)) {
    return http::make_response(200, "application/json", diagnostics_json(snapshot));
  }
  http::Response page = http::make_response(200, "text/html; charset=utf-8",
                                            diagnostics_page(snapshot, kStyle, kAsJson));
  http::add_page_headers(page.headers);
  return page;
}

Task<http::Response> Operations::handle(http::Request& request) {
  co_return answer(request);
}

}  // namespace gatehouse::gateway
