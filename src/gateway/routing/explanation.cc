#include "gateway/routing/explanation.h"

#include <fmt/format.h>

#include "gateway/routing/route_name.h"

namespace gatehouse::gateway {
namespace {

constexpr double kPercent = 100;

std::string named(const config::Route& route) {
  std::string out = "\"" + route_name(route) + "\"";
  if (!route.origin.empty()) out += " (" + route.origin + ")";
  return out;
}

std::string matched(const config::Route& route) {
  std::string host = route.host.empty() ? "any" : route.host;
  if (!route.host_regex.empty()) host = "by the regular expression " + route.host_regex;
  return fmt::format("{} {}, host {}", route.match == "regex" ? "regular expression" : "prefix",
                     route.prefix, host);
}

std::string describe(const Explanation::Member& member, const config::Route& route) {
  if (member.location) return fmt::format("answers {} to {}", member.status, *member.location);
  if (member.status == 400)
    return "answers 400: the redirect or rewrite gives no path that is safe";
  return fmt::format("sends {} to {}, Host {}", member.target, route.upstream.service,
                     member.authority.empty() ? "empty" : member.authority);
}

std::string member_lines(const Explanation& explanation, const std::vector<config::Route>& routes) {
  std::string out;
  for (const Explanation::Member& member : explanation.members) {
    const config::Route& route = routes[member.route];
    out += fmt::format("  {}: {}{}", named(route), describe(member, route),
                       member.shadow ? " as a copy, without an answer" : "");
    if (explanation.members.size() > 1) {
      out += fmt::format(", {:.4g} % of the requests", member.share * kPercent);
    }
    out += "\n";
  }
  return out;
}

std::string outcome(const Explanation& explanation) {
  if (explanation.ambiguous) return "ambiguous";
  return explanation.members.empty() ? "none" : "route";
}

Json to_json(const Explanation::Member& member, const config::Route& route) {
  Json out = {{"route", route_name(route)}, {"share", member.share}, {"shadow", member.shadow}};
  if (!route.origin.empty()) out["origin"] = route.origin;
  if (member.status != 0) out["status"] = member.status;
  if (member.location) out["location"] = *member.location;
  if (member.status != 0) return out;
  out["upstream"] = route.upstream.service;
  out["target"] = member.target;
  out["host"] = member.authority;
  return out;
}

}  // namespace

std::string to_text(const Explanation& explanation, const std::vector<config::Route>& routes) {
  std::string out;
  if (explanation.ambiguous) {
    out = "Refused with 400: " + explanation.ambiguity + "\n";
  } else if (explanation.members.empty()) {
    out = "No route: 404.\n";
  } else {
    const config::Route& first = routes[explanation.members.front().route];
    out = fmt::format("Route {} wins: {}.\n", named(first), matched(first));
    out += explanation.authenticate ? "  Authentication is asked for.\n"
                                    : "  Passes without authentication.\n";
    out += member_lines(explanation, routes);
  }
  if (!explanation.losers.empty()) out += "Routes that come before and do not match:\n";
  for (const Explanation::Loser& loser : explanation.losers) {
    out += fmt::format("  {}: {}\n", named(routes[loser.route]), loser.reason);
  }
  if (explanation.not_shown > 0) out += fmt::format("  and {} more\n", explanation.not_shown);
  return out;
}

Json to_json(const Explanation& explanation, const std::vector<config::Route>& routes) {
  Json out = {{"outcome", outcome(explanation)}};
  if (explanation.ambiguous) {
    out["status"] = 400;
    out["ambiguity"] = explanation.ambiguity;
  } else if (explanation.members.empty()) {
    out["status"] = 404;
  } else {
    out["authenticate"] = explanation.authenticate;
    out["members"] = Json::array();
    for (const Explanation::Member& member : explanation.members) {
      out["members"].push_back(to_json(member, routes[member.route]));
    }
  }
  out["losers"] = Json::array();
  for (const Explanation::Loser& loser : explanation.losers) {
    Json entry = {{"route", route_name(routes[loser.route])}, {"reason", loser.reason}};
    if (!routes[loser.route].origin.empty()) entry["origin"] = routes[loser.route].origin;
    out["losers"].push_back(std::move(entry));
  }
  out["losers_not_shown"] = explanation.not_shown;
  return out;
}

}  // namespace gatehouse::gateway
