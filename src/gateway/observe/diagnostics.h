// What the gateway does at this moment, for people who look for a fault: routes, services, what is
// wrong with the configuration, and what became of its last changes.
//
// Plain values, gathered by whoever runs the gateway; shown as a page, as JSON, and in part as
// metrics. They hold no secret: no credential, no key, no header value of a request. URLs lose
// their query and user info when they are shown, in case a setting holds any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace gatehouse::gateway {

struct EndpointView {
  std::string address;
  bool healthy = true;   // by active checks
  bool ejected = false;  // by outlier detection
  bool refused = false;  // could not be connected to lately
  std::uint64_t active_requests = 0;
  std::uint64_t connections = 0;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::string last_error;
};

struct BreakerView {
  std::string name;         // connections, pending_requests, requests, retries
  std::uint64_t limit = 0;  // 0: none
  std::uint64_t now = 0;
  std::uint64_t refused = 0;
};

/// Of all loops together.
struct ClusterView {
  std::string service;
  std::vector<EndpointView> endpoints;
  std::vector<BreakerView> breakers;
  /// Attempts, those that failed, and those after the first: of all addresses there have been, so
  /// that these only grow.
  std::uint64_t requests = 0, failures = 0, retries = 0;
  std::string dns_error;
  bool panic = false;  // too few endpoints are well, so all are used
};

struct RouteView {
  std::string name;
  std::string origin;    // where it was written
  std::string match;     // for people: "host example.org, prefix /a, method GET"
  std::string upstream;  // the service, or what it redirects to
  std::string weight;    // "30 %"; "" if it is alone
  bool authenticate = true;
  bool shadow = false;
  std::uint64_t hits = 0;
};

struct ListenerView {
  std::string address;
  std::string protocol;  // "http", "https", "tcp"
  std::string serves;    // which part of the process
};

/// Something that is wrong with the configuration and was left out, or is only doubtful.
struct ProblemView {
  bool is_error = true;
  std::string what;  // and where: "b.yaml:12:3: Mapping default/a spec.prefix: …"
};

struct ReloadView {
  WallTime time{};
  bool applied = false;
  std::string what;  // "12 routes", or why it was refused
};

struct DiagnosticSnapshot {
  std::string version;
  WallTime started{}, taken{};
  bool ready = false;
  std::string authorizer;         // "gatekeeper", "http http://…", "grpc …", "none"
  std::vector<RouteView> routes;  // in the order in which they are tried
  std::vector<ClusterView> clusters;
  std::vector<ListenerView> listeners;
  std::vector<ProblemView> problems;
  std::vector<ReloadView> reloads;  // the newest first
};

/// Without query, fragment and user info, if it is a URL; text that is none stays as it is.
std::string without_secrets(std::string url);

/// One JSON object with the members of DiagnosticSnapshot; times as RFC 3339 has them, in UTC.
std::string diagnostics_json(const DiagnosticSnapshot& snapshot);

/// "2026-05-01T12:00:00Z"; "" for the time 0.
std::string time_text(WallTime time);

}  // namespace gatehouse::gateway
