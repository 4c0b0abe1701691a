#include "gateway/observe/operations.h"

#include "gateway/observe/diagnostics_page.h"
#include "http/html.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

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
  if (std::optional<http::Response> refused = refuse_other_methods(request)) {
    return *std::move(refused);
  }
  const std::string_view path = request.target.path();
  if (path == "/metrics") return http::make_response(200, kExposition, parts_.metrics.text());
  if (parts_.diagnose) {
    if (path == kDiagnostics) return diagnostics(request);
    if (path == kDiagnostics.substr(0, kDiagnostics.size() - 1)) {
      return http::redirect(301, kDiagnostics);
    }
    if (path == kStyle) {
      return http::make_response(200, "text/css; charset=utf-8", diagnostics_style());
    }
  }
  return health_.answer(path);
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
