#include "gateway/observe/health.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";

}  // namespace

http::Response Health::answer(std::string_view path) const {
  if (path == "/healthz/live" || path == "/ambassador/v0/check_alive") {
    return http::make_response(200, kPlain, "alive\n");
  }
  if (path == "/healthz/ready" || path == "/ambassador/v0/check_ready") {
    return ready_() ? http::make_response(200, kPlain, "ready\n")
                    : http::make_response(503, kPlain, "not ready\n");
  }
  return no_such_page();
}

Task<http::Response> Health::handle(http::Request& request) {
  std::optional<http::Response> refused = refuse_other_methods(request);
  co_return refused ? *std::move(refused) : answer(request.target.path());
}

std::optional<http::Response> refuse_other_methods(const http::Request& request) {
  if (request.method == "GET" || request.method == "HEAD") return std::nullopt;
  http::Response response = http::make_response(405, kPlain, "only GET and HEAD\n");
  response.headers.add("Allow", "GET, HEAD");
  return response;
}

http::Response no_such_page() {
  return http::make_response(404, kPlain, "no such page\n");
}

}  // namespace gatehouse::gateway
