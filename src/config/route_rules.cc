// Rules between the fields of routes, of what they match together, and of their upstreams.
#include <algorithm>
#include <array>
#include <numeric>
#include <span>

#include "config/rule_parts.h"
#include "config/syntax.h"
#include "http/field_names.h"

namespace gatehouse::config {
namespace {

// --- one route --------------------------------------------------------------------------------

void check_fields_match(const std::vector<FieldMatch>& fields, std::string_view list,
                        const Subject& route) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    route.entry(list, i).refuse_if(!fields[i].value.empty() && !fields[i].regex.empty(), "regex",
                                   "must not be given with value; keep one of the two");
  }
}

void check_match(const Route& route, const Subject& subject) {
  const auto two_ways = [&](bool both, std::string_view field, std::string_view other) {
    subject.refuse_if(both, field,
                      "must not be given with " + std::string(other) + "; keep one of the two");
  };
  two_ways(!route.host.empty() && !route.host_regex.empty(), "host_regex", "host");
  two_ways(!route.methods.empty() && !route.method_regex.empty(), "method_regex", "methods");
  check_fields_match(route.headers, "headers", subject);
  check_fields_match(route.query, "query", subject);
  if (route.match != "regex" && !kPath.valid(route.prefix)) {
    subject.refuse("prefix", "must be " + std::string(kPath.rule) + ", or match must be regex");
  }
}

void check_rewrite(const Route& route, const Subject& subject) {
  subject.refuse_if(!route.rewrite.empty() && !route.rewrite_regex.empty(), "rewrite_regex",
                    "must not be given with rewrite; keep one of the two");
  subject.refuse_if(!route.rewrite.empty() && route.match == "regex", "rewrite",
                    "needs a prefix to replace, and match is regex; use rewrite_regex");
  subject.refuse_if(route.rewrite_regex.empty() && !route.rewrite_substitution.empty(),
                    "rewrite_substitution", "needs rewrite_regex, which says what it replaces");
  subject.refuse_if(route.auto_host_rewrite && !route.host_rewrite.empty(), "auto_host_rewrite",
                    "must not be true with host_rewrite; keep one of the two");
}

bool redirects(const Redirect& redirect) {
  return !redirect.host.empty() || !redirect.path.empty() || !redirect.prefix.empty() ||
         !redirect.regex.empty();
}

void check_redirect(const Route& route, const Subject& subject) {
  const Redirect& redirect = route.redirect;
  const int paths = static_cast<int>(!redirect.path.empty()) +
                    static_cast<int>(!redirect.prefix.empty()) +
                    static_cast<int>(!redirect.regex.empty());
  subject.refuse_if(paths > 1, redirect.regex.empty() ? "prefix" : "regex",
                    "must stand alone: give one of path, prefix and regex");
  subject.refuse_if(!redirect.prefix.empty() && route.match == "regex", "prefix",
                    "needs a prefix to replace, and match is regex; use redirect.regex");
  subject.refuse_if(redirect.regex.empty() && !redirect.substitution.empty(), "substitution",
                    "needs redirect.regex, which says what it replaces");
  constexpr std::string_view kNoPlace =
      "needs redirect.host, path, prefix or regex: where it leads";
  subject.refuse_if(!redirects(redirect) && redirect.https, "https", kNoPlace);
  subject.refuse_if(!redirects(redirect) && redirect.status != Redirect{}.status, "status",
                    kNoPlace);
}

void check_cors(const Cors& cors, const Subject& subject) {
  const bool any = holds(cors.origins, "*");
  subject.refuse_if(any && cors.credentials, "credentials",
                    "must not be true with the origin *: every site could act for the user; name "
                    "the origins");
  const bool more = !cors.methods.empty() || !cors.headers.empty() ||
                    !cors.exposed_headers.empty() || cors.credentials || cors.max_age.count() > 0;
  subject.refuse_if(cors.origins.empty() && more, "origins",
                    "must be given with the other fields of cors");
}

/// What is wrong with an edit of the field of that name; empty: nothing.
std::string_view wrong_edit(std::string_view name, const std::vector<std::string>& managed) {
  if (http::is_framing_field(name))
    return "frames or routes the message; only the gateway sets it, Host by host_rewrite";
  const auto same = [name](std::string_view other) {
    return http::folds_to(name, http::folded(other));
  };
  if (std::ranges::any_of(managed, same)) {
    return "is one of gateway.managed_headers: it says who the user is, and only the authorizer "
           "may set it";
  }
  return {};
}

void check_additions(const std::vector<FieldEdit>& edits, std::string_view list,
                     const std::vector<std::string>& managed, const Subject& subject) {
  for (std::size_t i = 0; i < edits.size(); ++i) {
    const std::string_view wrong = wrong_edit(edits[i].name, managed);
    subject.entry(list, i).refuse_if(!wrong.empty(), "name", wrong);
  }
}

void check_removals(const std::vector<std::string>& names, std::string_view list,
                    const Subject& subject) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view wrong = wrong_edit(names[i], {});
    subject.refuse_if(!wrong.empty(), element(list, i), wrong);
  }
}

void check_edits(const Route& route, const Gateway& gateway, const Subject& subject) {
  check_additions(route.add_request_headers, "add_request_headers", gateway.managed_headers,
                  subject);
  check_additions(route.add_response_headers, "add_response_headers", {}, subject);
  check_removals(route.remove_request_headers, "remove_request_headers", subject);
  check_removals(route.remove_response_headers, "remove_response_headers", subject);
}

void check_retry(const RetryPolicy& retry, const Subject& subject) {
  const bool by_status = holds(retry.on, "retriable-status-codes");
  subject.refuse_if(by_status && retry.status_codes.empty(), "status_codes",
                    "must be given when retry.on has retriable-status-codes");
  subject.refuse_if(!by_status && !retry.status_codes.empty(), "status_codes",
                    "has a meaning only when retry.on has retriable-status-codes");
}

// --- upstreams --------------------------------------------------------------------------------

void check_load_balancer(const LoadBalancer& balancer, const Subject& subject) {
  const bool hashes = balancer.policy == "ring_hash" || balancer.policy == "maglev";
  const bool keyed = !balancer.cookie.empty() || !balancer.header.empty() || balancer.source_ip;
  subject.refuse_if(hashes && !keyed, "policy",
                    "needs what it hashes: give load_balancer.cookie, header or source_ip");
  constexpr std::string_view kOnly = "has a meaning only when policy is ring_hash or maglev";
  subject.refuse_if(!hashes && !balancer.cookie.empty(), "cookie", kOnly);
  subject.refuse_if(!hashes && !balancer.header.empty(), "header", kOnly);
  subject.refuse_if(!hashes && balancer.source_ip, "source_ip", kOnly);
  subject.refuse_if(balancer.cookie.empty() && balancer.cookie_ttl.count() > 0, "cookie_ttl",
                    "needs load_balancer.cookie, the name of the cookie");
}

void check_health_check(const HealthCheck& check, const Subject& subject) {
  subject.refuse_if(check.kind != "grpc" && !check.grpc_service.empty(), "grpc_service",
                    "has a meaning only when kind is grpc");
  check_additions(check.headers, "headers", {}, subject);
  for (std::size_t i = 0; i < check.expected.size(); ++i) {
    subject.entry("expected", i)
        .refuse_if(check.expected[i].min > check.expected[i].max, "max",
                   "must not be lower than min");
  }
}

void check_upstream(const Upstream& upstream, const Subject& subject) {
  check_upstream_tls(upstream.tls, upstream.service, subject);
  check_load_balancer(upstream.load_balancer, subject.in("load_balancer"));
  for (std::size_t i = 0; i < upstream.health_checks.size(); ++i) {
    check_health_check(upstream.health_checks[i], subject.entry("health_checks", i));
  }
  subject.refuse_if(!upstream.ipv4 && !upstream.ipv6, "ipv6",
                    "must not be false with ipv4: no address would be left");
}

// --- routes that match the same ---------------------------------------------------------------

/// A route's part in the requests that it and others match.
struct Share {
  std::size_t index = 0;
  int weight = -1;
};

/// `field` is where it is said what they match.
void check_shares(std::span<const Share> shares, std::string_view list, std::string_view field,
                  const Subject& gateway) {
  const bool weighted = std::ranges::any_of(shares, [](Share share) { return share.weight >= 0; });
  if (!weighted) {
    for (const Share& share : shares.subspan(1)) {
      gateway.entry(list, share.index)
          .refuse(field, "matches the same as " +
                             element(gateway.path_of(list), shares.front().index) +
                             "; give one of them a weight, or remove one");
    }
    return;
  }
  const int sum = std::accumulate(shares.begin(), shares.end(), 0, [](int before, Share share) {
    return before + std::max(share.weight, 0);
  });
  gateway.entry(list, shares.back().index)
      .refuse_if(sum > 100, "weight",
                 "brings the weights of those that match the same to " + std::to_string(sum) +
                     "; lower them to 100 together");
}

using Shares = std::map<std::string, std::vector<Share>>;

/// All that decides whether a request matches; none of it has line ends.
std::string match_key(const Route& route) {
  std::string key;
  for (const std::string_view part :
       {std::string_view(route.host), std::string_view(route.host_regex),
        std::string_view(route.prefix), std::string_view(route.match),
        std::string_view(route.case_sensitive ? "" : "any case"),
        std::string_view(route.method_regex)}) {
    key.append(part).push_back('\n');
  }
  for (const std::string& method : route.methods) key += "method " + method + "\n";
  for (const std::string& label : route.labels) key += "label " + label + "\n";
  const auto add = [&key](std::string_view kind, const std::vector<FieldMatch>& fields) {
    for (const FieldMatch& field : fields) {
      key += std::string(kind) + field.name + "\n" + field.value + "\n" + field.regex + "\n";
    }
  };
  add("header ", route.headers);
  add("query ", route.query);
  return key;
}

void check_route(const Route& route, const Gateway& gateway, const Subject& subject) {
  check_match(route, subject);
  check_rewrite(route, subject);
  check_redirect(route, subject.in("redirect"));
  check_cors(route.cors, subject.in("cors"));
  check_edits(route, gateway, subject);
  check_error_overrides(route.error_overrides, subject);
  check_retry(route.retry, subject.in("retry"));
  check_upstream(route.upstream, subject);
  subject.refuse_if(route.upstream.service.empty() && !redirects(route.redirect), "service",
                    "must be given; only a route with a redirect needs none");
  subject.refuse_if(route.grpc && route.upstream.protocol == "http1", "protocol",
                    "must not be http1 with grpc: gRPC is spoken over HTTP/2");
}

}  // namespace

void check_routes(const Gateway& gateway, const Subject& subject) {
  Shares shares;
  for (std::size_t i = 0; i < gateway.routes.size(); ++i) {
    const Route& route = gateway.routes[i];
    check_route(route, gateway, subject.entry("routes", i));
    if (route.shadow) continue;
    shares[match_key(route)].push_back({.index = i, .weight = route.weight});
  }
  for (const auto& [key, same] : shares) check_shares(same, "routes", "prefix", subject);
}

void check_tcp(const Gateway& gateway, const Subject& subject) {
  Shares shares;
  for (std::size_t i = 0; i < gateway.tcp.size(); ++i) {
    const TcpRoute& route = gateway.tcp[i];
    const Subject here = subject.entry("tcp", i);
    check_tls(route.tls, here);
    check_upstream(route.upstream, here);
    const bool taken =
        std::ranges::find(gateway.listen, route.listen, &Listen::address) != gateway.listen.end();
    here.refuse_if(taken, "listen", "is taken by gateway.listen; bytes need a port of their own");
    shares[route.listen + "\n" + route.host].push_back({.index = i, .weight = route.weight});
  }
  for (const auto& [key, same] : shares) check_shares(same, "tcp", "listen", subject);
}

}  // namespace gatehouse::config
