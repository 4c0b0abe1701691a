#include "http/message.h"

#include <algorithm>
#include <cassert>

#include "base/json.h"
#include "http/url.h"

namespace gatehouse::http {
namespace {

std::unexpected<Error> too_long(std::size_t limit) {
  return fail(ErrorCode::kExhausted, "the body is longer than " + std::to_string(limit) + " bytes");
}

/// Escapes what a field value may not hold, so that no location can add a header.
std::string field_safe(std::string_view location) {
  const auto safe = [](char c) { return c > ' ' && c <= '~'; };
  std::string out;
  out.reserve(location.size());
  for (;;) {
    const auto unsafe = std::ranges::find_if_not(location, safe);
    out.append(location.begin(), unsafe);
    if (unsafe == location.end()) return out;
    out += percent_encode({unsafe, unsafe + 1});
    location = {unsafe + 1, location.end()};
  }
}

}  // namespace

const Headers& BodyReader::trailers() const {
  static const Headers kNone;
  return kNone;
}

void Trace::clear() {
  for (std::string* const text : {&request_id, &route, &upstream, &user, &session}) text->clear();
  service.reset();
  failure = {};
  span = {};
}

Task<Result<std::string>> read_all(Body& body, std::size_t limit) {
  if (body.stream == nullptr) {
    if (body.bytes.size() > limit) co_return too_long(limit);
    co_return std::move(body.bytes);
  }
  if (body.length.value_or(0) > limit) co_return too_long(limit);
  std::string whole;
  for (;;) {
    const Result<std::string_view> piece = co_await body.stream->read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return whole;
    if (piece->size() > limit - whole.size()) co_return too_long(limit);
    whole.append(*piece);
  }
}

Task<Result<Response>> HandlerClient::send(Request& request) {
  Response response = co_await handler_.handle(request);
  co_return response;
}

Response make_response(int status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", content_type);
  response.headers.add("Cache-Control", "no-store");
  response.body = Body(std::move(body));
  return response;
}

Response json_error(int status, std::string_view code, std::string_view description) {
  Json body = Json::object();
  body["error"] = code;
  body["error_description"] = description;
  return make_response(status, "application/json", dump_json(body));
}

Response redirect(int status, std::string_view location) {
  assert(status >= 301 && status <= 308);
  Response response = make_response(status, "text/plain; charset=utf-8",
                                    std::string(reason_phrase(status)).append("\n"));
  response.headers.add("Location", field_safe(location));
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
      // clang-format off
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 102: return "Processing";
    case 103: return "Early Hints";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 203: return "Non-Authoritative Information";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 206: return "Partial Content";
    case 207: return "Multi-Status";
    case 208: return "Already Reported";
    case 226: return "IM Used";
    case 300: return "Multiple Choices";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 305: return "Use Proxy";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 407: return "Proxy Authentication Required";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 423: return "Locked";
    case 424: return "Failed Dependency";
    case 425: return "Too Early";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 451: return "Unavailable For Legal Reasons";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 506: return "Variant Also Negotiates";
    case 507: return "Insufficient Storage";
    case 508: return "Loop Detected";
    case 511: return "Network Authentication Required";
    default: return "";
      // clang-format on
  }
}

}  // namespace gatehouse::http
