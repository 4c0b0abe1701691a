// RouteTable::make(): routes are checked, put together by what they match, ordered and indexed.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/routing/compiled_routes.h"
#include "gateway/routing/route_table.h"
#include "http/headers.h"

namespace gatehouse::gateway {
namespace {

/// The labels that a route_selector asks for: "key=value", or several by commas. nullopt if it is
/// none.
std::optional<std::vector<std::string>> parse_selector(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view label = http::trim(text.substr(0, comma));
    if (label.find('=') == std::string_view::npos || label.starts_with('=')) return std::nullopt;
    out.emplace_back(label);
    if (comma == text.size()) return out;
    text.remove_prefix(comma + 1);
  }
}

bool has_all(const std::vector<std::string>& labels, const std::vector<std::string>& wanted) {
  return std::ranges::all_of(wanted, [&](const std::string& label) {
    return std::ranges::find(labels, label) != labels.end();
  });
}

class Compiler {
 public:
  Compiler(const std::vector<config::Route>& routes, const std::vector<config::Host>& hosts)
      : routes_(routes), hosts_(hosts) {}

  std::shared_ptr<const CompiledRoutes> compile() {
    compile_selectors();
    compile_routes();
    make_rules();
    index_rules();
    return std::make_shared<const CompiledRoutes>(std::move(out_));
  }
  std::vector<Problem> take_problems() { return std::move(problems_); }

 private:
  /// Routes that match the same.
  struct Candidate {
    RouteMatch match;
    std::vector<std::size_t> routes;
  };

  void compile_selectors();
  void compile_routes();
  void add(std::size_t route, RouteMatch match);
  void make_rules();
  void make_rule(Candidate candidate);
  void index_rules();
  void index(Domain& domain) const;
  void wrong(std::size_t route, std::string reason, bool left_out = true) {
    problems_.push_back({Problem::Of::kRoute, route, std::move(reason), left_out});
  }

  const std::vector<config::Route>& routes_;
  const std::vector<config::Host>& hosts_;
  std::vector<Problem> problems_;
  /// The labels that each selector asks for; nullopt: a wrong one, which lets no route match.
  std::vector<std::optional<std::vector<std::string>>> selectors_;
  bool any_case_ = false;
  std::vector<Candidate> candidates_;
  std::unordered_map<std::string, std::size_t> by_key_;
  CompiledRoutes out_;
};

void Compiler::compile_selectors() {
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const config::Host& host = hosts_[i];
    const std::optional<HostPattern> pattern = HostPattern::parse(host.hostname);
    if (!pattern) continue;  // HostPolicy says so
    std::optional<std::size_t>& place = out_.selectors[*pattern];
    if (place) continue;  // this too
    place = Subject::kNoSelector;
    if (host.route_selector.empty()) continue;
    const auto [found, fresh] = known.try_emplace(host.route_selector, selectors_.size());
    place = found->second;
    if (!fresh) continue;
    selectors_.push_back(parse_selector(host.route_selector));
    if (selectors_.back()) continue;
    problems_.push_back({Problem::Of::kHost, i,
                         "route_selector must be key=value, or several by commas; no route "
                         "matches for this host"});
  }
}

void Compiler::compile_routes() {
  any_case_ = !std::ranges::all_of(routes_, RouteMatch::is_case_sensitive);
  out_.actions.resize(routes_.size());
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    Result<RouteMatch> match = RouteMatch::make(routes_[i], any_case_);
    if (!match) {
      wrong(i, match.error().message);
      continue;
    }
    std::vector<std::string> warnings;
    Result<RouteActions> actions = RouteActions::make(routes_[i], warnings);
    if (!actions) {
      wrong(i, actions.error().message);
      continue;
    }
    for (std::string& warning : warnings) wrong(i, std::move(warning), false);
    out_.actions[i] = std::move(*actions);
    add(i, std::move(*match));
  }
}

void Compiler::add(std::size_t route, RouteMatch match) {
  std::vector<bool> selected;
  for (const auto& wanted : selectors_) {
    selected.push_back(wanted && has_all(routes_[route].labels, *wanted));
  }
  match.set_selected(std::move(selected));
  const auto [place, fresh] = by_key_.try_emplace(match.key(), candidates_.size());
  if (fresh) candidates_.push_back({std::move(match), {}});
  candidates_[place->second].routes.push_back(route);
}

void Compiler::make_rules() {
  for (Candidate& candidate : candidates_) make_rule(std::move(candidate));
  std::ranges::sort(out_.rules, [](const Rule& a, const Rule& b) {
    if (a.match.before(b.match)) return true;
    if (b.match.before(a.match)) return false;
    return a.group.members().front().route < b.group.members().front().route;
  });
}

void Compiler::make_rule(Candidate candidate) {
  const bool only_shadows = std::ranges::all_of(
      candidate.routes, [this](std::size_t route) { return routes_[route].shadow; });
  if (only_shadows) {
    for (const std::size_t route : candidate.routes) {
      wrong(route, "is a shadow, but no other route matches the same");
    }
    return;
  }
  std::vector<std::string> warnings;
  RouteGroup group(routes_, candidate.routes, warnings);
  for (std::string& warning : warnings) wrong(candidate.routes.front(), std::move(warning), false);
  out_.rules.push_back({std::move(candidate.match), std::move(group)});
}

void Compiler::index_rules() {
  for (std::uint32_t rank = 0; rank < out_.rules.size(); ++rank) {
    const RouteMatch& match = out_.rules[rank].match;
    Domain& domain = match.has_host_regex() ? out_.regex_hosts : out_.domains[match.host()];
    domain.ranks.push_back(rank);
  }
  out_.domains.for_each([this](const HostPattern&, Domain& domain) { index(domain); });
  index(out_.domains.any());
  index(out_.regex_hosts);
}

void Compiler::index(Domain& domain) const {
  std::vector<PrefixIndex::Item> items;
  items.reserve(domain.ranks.size());
  for (const std::uint32_t rank : domain.ranks) {
    const RouteMatch& match = out_.rules[rank].match;
    if (match.mode() == PrefixMode::kRegex) {
      domain.regexes.push_back(rank);
    } else {
      items.push_back({match.prefix(), rank});
    }
  }
  domain.prefixes = PrefixIndex(std::move(items), any_case_);
}

}  // namespace

RouteTable::Made RouteTable::make(const std::vector<config::Route>& routes,
                                  const std::vector<config::Host>& hosts) {
  Compiler compiler(routes, hosts);
  RouteTable table(compiler.compile());
  return {std::move(table), compiler.take_problems()};
}

}  // namespace gatehouse::gateway
