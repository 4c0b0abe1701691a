// Rules between the fields of the gateway as a whole.
#include <algorithm>
#include <utility>

#include "config/rule_parts.h"
#include "http/field_names.h"
#include "http/headers.h"

namespace gatehouse::config {
namespace {

bool matches_cookie(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](std::string_view pattern) {
    if (!pattern.ends_with('*')) return pattern == name;
    return name.starts_with(pattern.substr(0, pattern.size() - 1));
  });
}

/// A client could claim to be anyone by a header that the gateway does not remove, and an upstream
/// could act for the user by a cookie that it is sent.
void check_identity_is_protected(const Settings& settings, const Subject& subject) {
  const Gateway& gateway = settings.gateway;
  const Gatekeeper& gatekeeper = settings.gatekeeper;
  for (const auto& [field, header] :
       {std::pair("gatekeeper.userid_header", gatekeeper.userid_header),
        std::pair("gatekeeper.groups_header", gatekeeper.groups_header)}) {
    const auto same = [&header](const std::string& managed) {
      return http::equal_ignoring_case(managed, header);
    };
    if (std::ranges::any_of(gateway.managed_headers, same)) continue;
    subject.refuse("managed_headers", "must hold " + header + ", which " + field +
                                          " names, or clients could send it themselves");
  }
  for (const std::string& name : {gatekeeper.cookie_name, "__Host-" + gatekeeper.cookie_name}) {
    if (matches_cookie(gateway.private_cookies, name)) continue;
    subject.refuse("private_cookies", "must match " + name +
                                          ", which gatekeeper.cookie_name names, or upstreams "
                                          "would see the session");
  }
}

void check_authorizer(const AuthorizerSettings& authorizer, const Subject& subject) {
  const bool http = authorizer.kind == "http";
  const bool external = http || authorizer.kind == "grpc";
  constexpr std::string_view kExternal = "has a meaning only when kind is http or grpc";
  subject.refuse_if(external && authorizer.url.empty(), "url",
                    "must be given when kind is " + authorizer.kind);
  subject.refuse_if(!external && !authorizer.url.empty(), "url", kExternal);
  subject.refuse_if(!http && !authorizer.path_prefix.empty(), "path_prefix",
                    "has a meaning only when kind is http");
  subject.refuse_if(!external && !authorizer.add_headers.empty(), "add_headers", kExternal);
  subject.refuse_if(!external && authorizer.body_bytes > 0, "body_bytes", kExternal);
  subject.refuse_if(authorizer.body_may_be_cut && authorizer.body_bytes == 0, "body_may_be_cut",
                    "needs body_bytes, which says how much of a body is told");
  subject.refuse_if(!external && authorizer.failure_mode_allow, "failure_mode_allow", kExternal);
  check_upstream_tls(authorizer.tls, authorizer.url, subject);
  for (std::size_t i = 0; i < authorizer.add_headers.size(); ++i) {
    subject.entry("add_headers", i)
        .refuse_if(http::is_framing_field(authorizer.add_headers[i].name), "name",
                   "frames or routes the message, so it cannot be added");
  }
  if (external && authorizer.failure_mode_allow) {
    subject.warn("failure_mode_allow",
                 "while the authorizer fails, every request passes unasked; set it to false unless "
                 "upstreams check for themselves");
  }
}

void check_hosts(const Gateway& gateway, const Subject& subject) {
  Repetitions names;
  for (std::size_t i = 0; i < gateway.hosts.size(); ++i) {
    const Host& host = gateway.hosts[i];
    const Subject here = subject.entry("hosts", i);
    check_tls(host.tls, here);
    const std::size_t* first = names.seen_before(host.hostname + "\n" + host.route_selector, i);
    if (first != nullptr) {
      here.refuse("hostname",
                  "is the hostname of " + element("gateway.hosts", *first) + "; join the two");
    }
  }
}

void check_content(const Gateway& gateway, const Subject& subject) {
  const auto& algorithms = gateway.compression.algorithms;
  subject.refuse_if(gateway.compression.level > 9 && holds(algorithms, "gzip"), "compression.level",
                    "must be at most 9 with gzip");
  subject.refuse_if(gateway.access_log.form != "text" && !gateway.access_log.format.empty(),
                    "access_log.format", "has a meaning only when access_log.form is text");
  subject.refuse_if(gateway.keep_any_request_id && !gateway.keep_request_id, "keep_any_request_id",
                    "must not be true when keep_request_id is false");
  check_error_overrides(gateway.error_overrides, subject);
}

}  // namespace

void check_listeners(const std::vector<Listen>& listeners, const std::string& list,
                     Findings& findings) {
  Repetitions addresses;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const Listen& listen = listeners[i];
    const Subject subject(findings, element(list, i));
    check_tls(listen.tls, subject);
    // Port 0 is another free port each time.
    if (listen.address.ends_with(":0")) continue;
    subject.refuse_if(addresses.seen_before(listen.address, i) != nullptr, "address",
                      "is taken by another entry of this list");
  }
}

void check_error_overrides(const std::vector<ErrorOverride>& overrides, const Subject& holder) {
  Repetitions statuses;
  for (std::size_t i = 0; i < overrides.size(); ++i) {
    const ErrorOverride& one = overrides[i];
    const Subject subject = holder.entry("error_overrides", i);
    const int given = static_cast<int>(!one.text.empty()) + static_cast<int>(!one.json.empty()) +
                      static_cast<int>(!one.file.empty());
    subject.refuse_if(given == 0, "text", "must be given, or json or file instead");
    subject.refuse_if(given > 1, one.file.empty() ? "json" : "file",
                      "must stand alone: give one of text, json and file");
    const std::size_t* first = statuses.seen_before(std::to_string(one.status), i);
    subject.refuse_if(first != nullptr, "status", "has another entry of this list already");
  }
}

void check_gateway(const Settings& settings, Findings& findings) {
  const Gateway& gateway = settings.gateway;
  const Subject subject(findings, "gateway");
  check_listeners(gateway.listen, "gateway.listen", findings);
  check_hosts(gateway, subject);
  check_routes(gateway, subject);
  check_tcp(gateway, subject);
  check_content(gateway, subject);
  check_authorizer(gateway.authorizer, subject.in("authorizer"));
  if (gateway.authorizer.kind == "gatekeeper") check_identity_is_protected(settings, subject);
}

}  // namespace gatehouse::config
