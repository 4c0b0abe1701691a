// `gatehouse route explain`: which route a request would take, and why.
//
// Decides by the gateway's own table; asks nobody and opens nothing.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "http/message.h"

namespace gatehouse::app {

struct RouteQuestion {
  std::string method;
  std::string url;                   // http(s)://host/path?query, or a path
  std::vector<std::string> headers;  // "Name: value"
  bool json = false;
};

/// The request that the question describes; of a URL with https it counts as one over TLS. A Host
/// among the headers takes the place of the URL's. kInvalid says what is wrong.
Result<http::Request> request_of(const RouteQuestion& question);

/// The gateway that a process with these settings serves, with the routes of all their sources.
/// kInvalid as make_plan().
Result<config::Gateway> gathered_gateway(const config::Settings& settings);

/// Prints the explanation to stdout. kOk if a route wins, kFailed if none does, kUsage for a
/// question that is none, kConfiguration for routes that cannot be.
int explain_route(const config::Settings& settings, const RouteQuestion& question);

}  // namespace gatehouse::app
