// `gatehouse route explain`: which route a request would take, and why.
//
// Decides by the gateway's own table, made of the configuration file and the manifests that it
// names; asks nobody and listens nowhere.
#pragma once

#include <string>
#include <vector>

#include "app/gateway_sources.h"
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

/// What a process with these settings serves: the routes of the file, of the manifests, and of the
/// other roles where they are in the same process. kInvalid as make_plan(); otherwise as gather().
Result<GatewaySources> served_by(const config::Settings& settings);

/// Prints the explanation to stdout, and on stderr what is left out. kOk if a route wins, kFailed
/// if none does, kUsage for a question that is none, kConfiguration for a folder that cannot be
/// read and for routes of the file that cannot be.
int explain_route(const config::Settings& settings, const RouteQuestion& question);

}  // namespace gatehouse::app
