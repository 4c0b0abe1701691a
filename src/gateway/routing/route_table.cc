#include "gateway/routing/route_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "gateway/routing/compiled_routes.h"
#include "gateway/routing/route_name.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

using Lost = std::pair<std::uint32_t, Mismatch>;

/// Keeps why routes lost: as many as are shown, those first whose path matched.
class Report {
 public:
  void lost(std::uint32_t rank, const Mismatch& mismatch) {
    std::vector<Lost>& kept = mismatch.of == Mismatch::Of::kPath ? far_ : near_;
    if (kept.size() < Explanation::kShown) kept.emplace_back(rank, mismatch);
    ++count_;
  }
  void ambiguous(const Subject& subject, const Rule* other) {
    ambiguous_path_ = subject.path;
    any_case_ = subject.any_case;
    other_ = other;
  }

  void write(const CompiledRoutes& routes, const Subject& subject, Explanation& out) const;
  std::string ambiguity(const std::vector<config::Route>& routes, std::string_view path) const;

 private:
  std::vector<Lost> near_, far_;
  std::size_t count_ = 0;
  std::string ambiguous_path_;
  bool any_case_ = false;
  const Rule* other_ = nullptr;
};

struct Reporting {
  static constexpr bool kEvery = true;
  Report* report;
  void lost(std::uint32_t rank, const Mismatch& mismatch) { report->lost(rank, mismatch); }
  void ambiguous(const Subject& subject, const Rule* other) { report->ambiguous(subject, other); }
};

std::size_t first_route(const Rule& rule) {
  return rule.group.members().front().route;
}

void Report::write(const CompiledRoutes& routes, const Subject& subject, Explanation& out) const {
  for (const std::vector<Lost>* part : {&near_, &far_}) {
    for (const auto& [rank, mismatch] : *part) {
      if (out.losers.size() == Explanation::kShown) break;
      const Rule& rule = routes.rules[rank];
      out.losers.push_back({first_route(rule), rule.match.describe(mismatch, subject)});
    }
  }
  out.not_shown = count_ - out.losers.size();
}

std::string Report::ambiguity(const std::vector<config::Route>& routes,
                              std::string_view path) const {
  std::string out = "ambiguous path: ";
  if (ambiguous_path_ != path) {
    out += "without path parameters it is " + ambiguous_path_ + ", which ";
  } else {
    out += "in another case it ";
  }
  if (other_ == nullptr) return out + "has no route";
  return out + "takes route \"" + route_name(routes[first_route(*other_)]) + "\"";
}

/// How particular a domain is: the greater, the earlier it is asked.
std::pair<int, std::size_t> particular(const HostPattern& pattern, bool by_regex) {
  switch (pattern.kind) {
    case HostPattern::Kind::kExact:
      return {4, 0};
    case HostPattern::Kind::kSuffix:
      return {3, pattern.text.size()};
    case HostPattern::Kind::kPrefix:
      return {2, pattern.text.size()};
    case HostPattern::Kind::kAny:
      break;
  }
  return {by_regex ? 1 : 0, 0};
}

/// Routes that only their host keeps from coming before the winner.
void add_other_hosts(const CompiledRoutes& routes, const Subject& subject, const Rule* winner,
                     Explanation& out) {
  std::vector<std::uint32_t> ranks;
  const auto least = winner == nullptr
                         ? std::pair(-1, std::size_t{0})
                         : particular(winner->match.host(), winner->match.has_host_regex());
  routes.domains.for_each([&](const HostPattern& pattern, const Domain& domain) {
    if (pattern.matches(subject.host) || particular(pattern, false) <= least) return;
    for (const std::uint32_t rank : domain.ranks) {
      if (!routes.rules[rank].match.mismatch(subject)) ranks.push_back(rank);
    }
  });
  std::ranges::sort(ranks);
  for (const std::uint32_t rank : ranks) {
    if (out.losers.size() == Explanation::kShown) {
      ++out.not_shown;
      continue;
    }
    const Rule& rule = routes.rules[rank];
    out.losers.push_back({first_route(rule), "host is not " + rule.match.host().str()});
  }
}

Explanation::Member explain_member(const config::Route& route, const RouteActions& actions,
                                   const http::Request& request, bool secure) {
  Explanation::Member out;
  if (actions.redirection) {
    out.location = actions.redirection->location(request, secure);
    out.status = out.location ? actions.redirection->status() : 400;
    return out;
  }
  http::Target target = request.target;
  if (!actions.rewrite(target)) {
    out.status = 400;
    return out;
  }
  out.target = target.str();
  const Result<http::Url> service = http::parse_url(route.upstream.service);
  const std::string own = service ? service->authority() : route.upstream.service;
  out.authority = actions.authority(request.authority, own);
  return out;
}

}  // namespace

RouteTable::RouteTable() : routes_(std::make_shared<const CompiledRoutes>()) {}

Result<const RouteGroup*, RouteTable::Miss> RouteTable::find(const http::Request& request) const {
  const Decision decision = decide(*routes_, request, Silence());
  if (decision.ambiguous) return std::unexpected(Miss::kAmbiguous);
  if (decision.rule == nullptr) return std::unexpected(Miss::kNone);
  return &decision.rule->group;
}

Explanation RouteTable::explain(const http::Request& request,
                                const std::vector<config::Route>& routes, bool secure) const {
  Report report;
  const Decision decision = decide(*routes_, request, Reporting{&report});
  Explanation out;
  const std::string path = upper_escapes(request.target.path());
  const Subject subject = RouteWalk<Silence>(*routes_, Silence()).subject(request, path);
  report.write(*routes_, subject, out);
  add_other_hosts(*routes_, subject, decision.rule, out);
  out.ambiguous = decision.ambiguous;
  if (out.ambiguous) {
    out.ambiguity = report.ambiguity(routes, path);
    return out;
  }
  if (decision.rule == nullptr) return out;
  const RouteGroup& group = decision.rule->group;
  out.authenticate = group.authenticate();
  const auto add = [&](std::size_t route, double share, bool shadow) {
    Explanation::Member member = explain_member(routes[route], actions(route), request, secure);
    member.route = route;
    member.share = share;
    member.shadow = shadow;
    out.members.push_back(std::move(member));
  };
  for (const RouteGroup::Member& member : group.members()) add(member.route, member.share, false);
  for (const RouteGroup::Shadow& shadow : group.shadows()) add(shadow.route, shadow.share, true);
  return out;
}

std::vector<std::size_t> RouteTable::in_order() const {
  std::vector<std::size_t> out;
  for (const Rule& rule : routes_->rules) {
    for (const RouteGroup::Member& member : rule.group.members()) out.push_back(member.route);
    for (const RouteGroup::Shadow& shadow : rule.group.shadows()) out.push_back(shadow.route);
  }
  return out;
}

const RouteActions& RouteTable::actions(std::size_t route) const {
  return routes_->actions[route];
}

Result<void> require_all(const std::vector<Problem>& problems,
                         const std::vector<config::Route>& routes,
                         const std::vector<config::Host>& hosts) {
  for (const Problem& problem : problems) {
    if (!problem.left_out) continue;
    const bool of_route = problem.of == Problem::Of::kRoute;
    const std::string name = of_route ? "route \"" + route_name(routes[problem.index])
                                      : "host \"" + hosts[problem.index].hostname;
    return fail(ErrorCode::kInvalid, name + "\": " + problem.reason);
  }
  return {};
}

}  // namespace gatehouse::gateway
