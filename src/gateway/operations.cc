#include "gateway/operations.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

http::Response Operations::answer(const http::Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    http::Response response = http::make_response(405, kPlain, "only GET and HEAD\n");
    response.headers.add("Allow", "GET, HEAD");
    return response;
  }
  const std::string_view path = request.target.path();
  if (path == "/metrics") return http::make_response(200, kExposition, metrics_.text());
  if (path == "/healthz/live") return http::make_response(200, kPlain, "alive\n");
  if (path != "/healthz/ready") return http::make_response(404, kPlain, "no such page\n");
  return ready_() ? http::make_response(200, kPlain, "ready\n")
                  : http::make_response(503, kPlain, "not ready\n");
}

Task<http::Response> Operations::handle(http::Request& request) {
  co_return answer(request);
}

}  // namespace gatehouse::gateway
