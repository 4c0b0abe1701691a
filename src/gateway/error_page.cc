#include "gateway/error_page.h"

#include <fmt/format.h>

#include "base/json.h"
#include "http/html.h"

namespace gatehouse::gateway {
namespace {

bool accepts_html(const http::Headers& headers) {
  for (const http::Field field : headers) {
    if (!http::equal_ignoring_case(field.name, "accept")) continue;
    if (http::lower_case(field.value).contains("text/html")) return true;
  }
  return false;
}

std::string json(const http::Request& request, int status, std::string_view what) {
  Json body = Json::object();
  body["error"] = http::reason_phrase(status);
  body["error_description"] = what;
  body["request_id"] = request.trace.request_id;
  return dump_json(body);
}

std::string html(const http::Request& request, int status, std::string_view what) {
  const std::string reason = http::html_escape(http::reason_phrase(status));
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{0} {1}</title>\n"
      "<h1>{1}</h1>\n<p>{2}</p>\n<p>Request id: <code>{3}</code></p>\n</html>\n",
      status, reason, http::html_escape(what), http::html_escape(request.trace.request_id));
}

}  // namespace

http::Response error_page(const http::Request& request, int status, std::string_view what) {
  const bool page = accepts_html(request.headers);
  http::Response response =
      page ? http::make_response(status, "text/html; charset=utf-8", html(request, status, what))
           : http::make_response(status, "application/json", json(request, status, what));
  http::add_page_headers(response.headers);
  return response;
}

}  // namespace gatehouse::gateway
