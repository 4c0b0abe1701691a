// Requests and routes of this folder's tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/routing/route_table.h"
#include "http/message.h"

namespace gatehouse::gateway {

inline config::Route route(std::string prefix, std::string host = "", std::string rewrite = "") {
  config::Route out;
  out.prefix = std::move(prefix);
  out.host = std::move(host);
  out.rewrite = std::move(rewrite);
  return out;
}

inline config::Route matching(std::string match, std::string prefix) {
  config::Route out = route(std::move(prefix));
  out.match = std::move(match);
  return out;
}

inline http::Request request(std::string_view target, std::string authority = "h",
                             std::string method = "GET") {
  http::Request out;
  out.method = std::move(method);
  out.authority = std::move(authority);
  out.target = http::parse_target(target).value();
  return out;
}

/// The first route of the winning group; -1 for none, -2 for ambiguous.
inline int winner(const RouteTable& table, const http::Request& asked) {
  const Result<const RouteGroup*, RouteTable::Miss> found = table.find(asked);
  if (found) return static_cast<int>((*found)->members().front().route);
  return found.error() == RouteTable::Miss::kNone ? -1 : -2;
}

inline int winner(const std::vector<config::Route>& routes, std::string authority,
                  std::string_view target) {
  return winner(RouteTable::make(routes).table, request(target, std::move(authority)));
}

}  // namespace gatehouse::gateway
