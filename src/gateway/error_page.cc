#include "gateway/error_page.h"

#include <fmt/format.h>

#include "base/json.h"
#include "http/html.h"
#include "http/page_look.h"

namespace gatehouse::gateway {
namespace {

std::string json(const http::Request& request, int status, std::string_view what) {
  Json body = Json::object();
  body["error"] = http::reason_phrase(status);
  body["error_description"] = what;
  body["request_id"] = request.trace.request_id;
  return dump_json(body);
}

/// The style stands within the page: what failed may be the way to a style sheet.
std::string html(const http::Request& request, int status, std::string_view what) {
  const std::string_view reason = http::reason_phrase(status);
  const bool may_pass = status >= 500;
  const std::string content = fmt::format(
      "<h1>{}</h1>\n<p class=\"lead\">{}</p>\n<a class=\"button\" href=\"{}\">{}</a>\n"
      "<p class=\"note\">Status {}, request id {}</p>\n",
      http::html_escape(reason), http::html_escape(what), may_pass ? "" : "/",
      may_pass ? "Try again" : "Go to the start page", status,
      http::html_escape(request.trace.request_id));
  return http::card_page(reason, fmt::format("<style>{}</style>", http::kPageStyle), content);
}

}  // namespace

http::Response error_page(const http::Request& request, int status, std::string_view what) {
  const bool page = http::accepts_html(request.headers);
  http::Response response =
      page ? http::make_response(status, "text/html; charset=utf-8", html(request, status, what))
           : http::make_response(status, "application/json", json(request, status, what));
  http::add_page_headers(response.headers);
  response.headers.set("Content-Security-Policy",
                       fmt::format("default-src 'none'; style-src {}; img-src data:; base-uri "
                                   "'none'; form-action 'none'; frame-ancestors 'none'",
                                   http::kPageStyleSource));
  return response;
}

}  // namespace gatehouse::gateway
