// Routes ready for look-up, and the one walk that decides which of them a request takes.
//
// Internal to RouteTable. A walk is told to a reporter: a look-up's says nothing, and the walk goes
// by the index; an explanation's hears why each route lost, and the walk goes past all of them. The
// index only leaves out what cannot match: RouteMatch::mismatch() decides in both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/routing/host_pattern.h"
#include "gateway/routing/prefix_index.h"
#include "gateway/routing/route_actions.h"
#include "gateway/routing/route_group.h"
#include "gateway/routing/route_match.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// Routes that match the same, and what.
struct Rule {
  RouteMatch match;
  RouteGroup group;
};

/// The rules of one host pattern, by their rank: their place in CompiledRoutes::rules.
struct Domain {
  std::vector<std::uint32_t> ranks;    // all, ascending
  PrefixIndex prefixes;                // those with a prefix
  std::vector<std::uint32_t> regexes;  // those with a regular expression, ascending
};

struct CompiledRoutes {
  std::vector<Rule> rules;  // in their order, whatever the host
  HostIndex<Domain> domains;
  Domain regex_hosts;  // between the particular hosts and any
  /// Of each Host: which route selector holds, or Subject::kNoSelector.
  HostIndex<std::optional<std::size_t>> selectors;
  std::vector<RouteActions> actions;  // of the routes, in the configuration's order
};

/// What a look-up reports: nothing.
struct Silence {
  static constexpr bool kEvery = false;
};

template <class Reporter>
class RouteWalk {
 public:
  /// A reporter with kEvery has lost(rank, Mismatch) and ambiguous(Subject, const Rule*).
  RouteWalk(const CompiledRoutes& routes, Reporter reporter)
      : routes_(routes), reporter_(reporter) {}

  /// nullptr if none matches.
  const Rule* first(const Subject& subject);
  /// Whether other readers of the path would see another route than `found`.
  bool is_ambiguous(const Subject& subject, const Rule* found);
  Subject subject(const http::Request& request, std::string_view path) const;

 private:
  bool search(const Domain& domain, const Subject& subject);
  void search_index(const Domain& domain, const Subject& subject);
  bool differs(const Subject& subject, const Rule* found);

  static constexpr std::uint32_t kNone = UINT32_MAX;
  const CompiledRoutes& routes_;
  Reporter reporter_;
  std::uint32_t best_ = kNone;
};

template <class Reporter>
Subject RouteWalk<Reporter>::subject(const http::Request& request, std::string_view path) const {
  Subject out{request, host_of(request.authority), path};
  std::optional<std::size_t> selector;
  const auto take = [&selector](const std::optional<std::size_t>& of_host) {
    selector = of_host;
    return of_host.has_value();
  };
  if (!routes_.selectors.visit(out.host, take)) selector = routes_.selectors.any();
  out.selector = selector.value_or(Subject::kNoSelector);
  return out;
}

template <class Reporter>
const Rule* RouteWalk<Reporter>::first(const Subject& subject) {
  best_ = kNone;
  const bool found =
      routes_.domains.visit(subject.host,
                            [&](const Domain& domain) { return search(domain, subject); }) ||
      search(routes_.regex_hosts, subject) || search(routes_.domains.any(), subject);
  return found ? &routes_.rules[best_] : nullptr;
}

template <class Reporter>
bool RouteWalk<Reporter>::search(const Domain& domain, const Subject& subject) {
  if constexpr (!Reporter::kEvery) {
    search_index(domain, subject);
  } else {
    for (const std::uint32_t rank : domain.ranks) {
      const std::optional<Mismatch> mismatch = routes_.rules[rank].match.mismatch(subject);
      if (!mismatch) {
        best_ = rank;
        break;
      }
      reporter_.lost(rank, *mismatch);
    }
  }
  return best_ != kNone;
}

template <class Reporter>
void RouteWalk<Reporter>::search_index(const Domain& domain, const Subject& subject) {
  const auto consider = [&](std::span<const std::uint32_t> ranks) {
    for (const std::uint32_t rank : ranks) {
      if (rank >= best_) return;
      if (routes_.rules[rank].match.mismatch(subject)) continue;
      best_ = rank;
      return;
    }
  };
  domain.prefixes.visit(subject.path, consider);
  consider(domain.regexes);
}

template <class Reporter>
bool RouteWalk<Reporter>::differs(const Subject& subject, const Rule* found) {
  RouteWalk<Silence> other_walk(routes_, Silence());
  const Rule* const other = other_walk.first(subject);
  if (other == found) return false;
  if constexpr (Reporter::kEvery) reporter_.ambiguous(subject, other);
  return true;
}

template <class Reporter>
bool RouteWalk<Reporter>::is_ambiguous(const Subject& subject, const Rule* found) {
  const bool cares_for_case = found == nullptr || found->match.case_sensitive();
  Subject other = subject;
  other.any_case = !cares_for_case;
  if (other.any_case && differs(other, found)) return true;
  if (!has_parameters(subject.path)) return false;
  const std::string without = without_parameters(subject.path);
  other.path = without;
  other.any_case = false;
  if (differs(other, found)) return true;
  other.any_case = !cares_for_case;
  return other.any_case && differs(other, found);
}

/// What a request takes.
struct Decision {
  const Rule* rule = nullptr;  // null: none
  bool ambiguous = false;      // then the rule must not be taken
};

template <class Reporter>
Decision decide(const CompiledRoutes& routes, const http::Request& request, Reporter reporter) {
  std::string_view path = request.target.path();
  std::string upper;
  if (has_lower_escape(path)) {
    upper = upper_escapes(path);
    path = upper;
  }
  RouteWalk<Reporter> walk(routes, reporter);
  const Subject subject = walk.subject(request, path);
  const Rule* const found = walk.first(subject);
  return {found, walk.is_ambiguous(subject, found)};
}

}  // namespace gatehouse::gateway
