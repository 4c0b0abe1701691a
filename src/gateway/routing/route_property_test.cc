// Holds look-up, explanation and a naive reference together on random tables and requests.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <tuple>
#include <vector>

#include "gateway/routing/fakes.h"
#include "http/headers.h"

namespace gatehouse::gateway {
namespace {

using Routes = std::vector<config::Route>;

class Random {
 public:
  explicit Random(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  T of(std::initializer_list<T> choices) {
    return *(choices.begin() + below(choices.size()));
  }

  std::string path(bool with_parameters) {
    std::string out;
    for (std::size_t n = below(4); n > 0; --n) {
      out += "/" + std::string(of({"a", "ab", "A", "b", "a%20b", "%C3%A9"}));
      if (with_parameters && one_in(3)) out += of({";x", "%3bb", "%3B"});
    }
    if (out.empty() || one_in(3)) out += "/";
    return out;
  }
  std::vector<config::FieldMatch> fields() {
    std::vector<config::FieldMatch> out;
    if (!one_in(4)) return out;
    for (std::size_t n = 1 + below(2); n > 0; --n) {
      out.push_back({of<std::string>({"x", "y"}), of<std::string>({"", "1"}), ""});
      if (out.back().value.empty() && one_in(3)) out.back().regex = "1|2,1";
    }
    return out;
  }
  config::Route route() {
    config::Route out;
    out.prefix = path(false);
    out.match = of<std::string>({"segment", "segment", "string", "exact"});
    if (one_in(8)) {
      out.match = "regex";
      out.prefix = of<std::string>({"/a.*", "/(a|b)/.*", "/A", ".*b"});
    }
    out.host = of<std::string>({"", "", "a.org", "*.a.org", "*.x.a.org", "x.a.org", "x.*", "a.*"});
    if (out.host.empty() && one_in(6)) out.host_regex = ".*a\\.org";
    if (one_in(5)) out.case_sensitive = false;
    if (one_in(4)) out.methods = {of<std::string>({"GET", "POST"})};
    if (out.methods.empty() && one_in(8)) out.method_regex = "P.*";
    out.headers = fields();
    out.query = fields();
    if (one_in(8)) out.precedence = static_cast<int>(below(3)) - 1;
    if (one_in(3)) out.labels = {of<std::string>({"l=1", "l=2"})};
    return out;
  }
  std::vector<config::Host> hosts() {
    std::vector<config::Host> out;
    for (const char* name : {"a.org", "*.a.org", "*"}) {
      if (!one_in(5)) continue;
      out.emplace_back();
      out.back().hostname = name;
      out.back().route_selector = of<std::string>({"", "l=1", "l=2"});
    }
    return out;
  }
  http::Request request() {
    std::string target = path(true);
    if (one_in(2)) target += of({"?x=1", "?y", "?x=%31&y=1", "?x=2&x=1", "?z"});
    http::Request out = gateway::request(
        target, of<std::string>({"a.org", "x.a.org:80", "y.x.a.org", "b.org", "ba.org", ""}),
        of<std::string>({"GET", "POST", "PUT"}));
    for (std::size_t n = below(3); n > 0; --n) {
      out.headers.add(of({"x", "y"}), of({"1", "2", ""}));
    }
    return out;
  }

 private:
  std::mt19937 random_;
};

// A reference that is obviously right, and slow: it tries every route in the order and takes the
// first that matches, with no code of the table's but the functions of strings.

struct Reading {
  std::string path;
  bool any_case = false;
};

bool is_whole(const std::string& text, const std::string& pattern, bool any_case = false) {
  static std::map<std::pair<std::string, bool>, std::regex> compiled;
  const auto flags = any_case ? std::regex::ECMAScript | std::regex::icase : std::regex::ECMAScript;
  const auto [found, fresh] = compiled.try_emplace({pattern, any_case});
  if (fresh) found->second = std::regex(pattern, flags);
  return std::regex_match(text, found->second);
}

bool cares(const config::Route& r) {
  return r.case_sensitive || r.prefix.find_first_of("abABC") == std::string::npos;
}

bool path_matches(const config::Route& r, const Reading& reading) {
  const bool any_case = reading.any_case || !cares(r);
  if (r.match == "regex") return is_whole(reading.path, r.prefix, any_case);
  const std::string path = any_case ? http::lower_case(reading.path) : reading.path;
  const std::string prefix = any_case ? http::lower_case(r.prefix) : r.prefix;
  if (r.match == "exact") return path == prefix;
  if (r.match == "string") return path.starts_with(prefix);
  return http::path_has_prefix(path, prefix);
}

std::string path_without_parameters(std::string path) {
  for (const std::string mark : {";", "%3B"}) {
    for (std::size_t at = path.find(mark); at != std::string::npos; at = path.find(mark)) {
      path.erase(at, std::min(path.find('/', at), path.size()) - at);
    }
  }
  return path;
}

/// Name and value of each, all decoded.
using Fields = std::vector<std::pair<std::string, std::string>>;

Fields headers_of(const http::Request& asked) {
  Fields out;
  for (const http::Field field : asked.headers) out.emplace_back(field.name, field.value);
  return out;
}

Fields parameters_of(const http::Request& asked) {
  const std::string query(asked.target.query());
  if (query == "x=1") return {{"x", "1"}};
  if (query == "y") return {{"y", ""}};
  if (query == "x=%31&y=1") return {{"x", "1"}, {"y", "1"}};
  if (query == "x=2&x=1") return {{"x", "2"}, {"x", "1"}};
  return {};
}

bool fields_match(const std::vector<config::FieldMatch>& wanted, const Fields& given) {
  return std::ranges::all_of(wanted, [&](const config::FieldMatch& one) {
    std::optional<std::string> value;
    for (const auto& [name, text] : given) {
      if (name == one.name) value = value ? *value + "," + text : text;
    }
    if (!value) return false;
    if (!one.regex.empty()) return is_whole(*value, one.regex);
    return one.value.empty() || *value == one.value;
  });
}

/// The greater, the earlier; 0: does not match.
std::size_t host_rank(const std::string& pattern, const std::string& host) {
  if (pattern == host) return 4000;
  if (pattern.starts_with("*.") && host.ends_with(pattern.substr(1))) return 3000 + pattern.size();
  if (pattern.ends_with(".*") && host.starts_with(pattern.substr(0, pattern.size() - 1))) {
    return 2000 + pattern.size();
  }
  return pattern.empty() || pattern == "*" ? 1 : 0;
}

std::size_t host_rank(const config::Route& r, const std::string& host) {
  if (!r.host_regex.empty()) return is_whole(host, r.host_regex) ? 1000 : 0;
  return host_rank(r.host, host);
}

std::string selector_of(const std::vector<config::Host>& hosts, const std::string& host) {
  std::size_t best = 0;
  std::string selector;
  for (const config::Host& one : hosts) {
    const std::size_t rank = host_rank(one.hostname, host);
    if (rank > best) selector = one.route_selector;
    best = std::max(best, rank);
  }
  return selector;
}

struct Reference {
  Routes routes;
  std::vector<config::Host> hosts;

  auto order(const config::Route& r, const std::string& host) const {
    const int mode = r.match == "exact"     ? 3
                     : r.match == "segment" ? 2
                     : r.match == "string"  ? 1
                                            : 0;
    return std::tuple(host_rank(r, host), r.precedence, r.prefix.size(), r.headers.size(),
                      r.query.size(), cares(r), mode, r.prefix,
                      r.methods.empty() ? r.method_regex : r.methods[0]);
  }
  bool matches(const config::Route& r, const http::Request& asked, const std::string& host,
               const Reading& reading) const {
    const std::string selector = selector_of(hosts, host);
    const bool selected =
        selector.empty() || std::ranges::find(r.labels, selector) != r.labels.end();
    const bool method = r.methods.empty() ? r.method_regex.empty() || asked.method[0] == 'P'
                                          : r.methods[0] == asked.method;
    return host_rank(r, host) > 0 && selected && method && path_matches(r, reading) &&
           fields_match(r.headers, headers_of(asked)) &&
           fields_match(r.query, parameters_of(asked));
  }
  int first(const http::Request& asked, const Reading& reading) const {
    const std::string host(asked.authority.substr(0, asked.authority.find(':')));
    int best = -1;
    for (int i = 0; i < static_cast<int>(routes.size()); ++i) {
      if (!matches(routes[i], asked, host, reading)) continue;
      if (best < 0 || order(routes[i], host) > order(routes[best], host)) best = i;
    }
    return best;
  }
  int winner(const http::Request& asked) const {
    std::string path(asked.target.path());
    for (std::size_t at = path.find("%3b"); at != std::string::npos; at = path.find("%3b")) {
      path[at + 2] = 'B';
    }
    const int found = first(asked, {path});
    const bool any_case = found >= 0 && !cares(routes[found]);
    const std::string without = path_without_parameters(path);
    for (const Reading& other :
         {Reading{without}, Reading{path, any_case}, Reading{without, any_case}}) {
      if (first(asked, other) != found) return -2;
    }
    return found;
  }
};

int explained(const Explanation& explanation) {
  if (explanation.ambiguous) return -2;
  return explanation.members.empty() ? -1 : static_cast<int>(explanation.members.front().route);
}

TEST(RoutesProperty, FindExplainAndTheReferenceAgree) {
  Random random(42);
  std::vector<int> outcomes(3);
  for (int round = 0; round < 400; ++round) {
    Reference reference;
    for (std::size_t n = random.below(25); n > 0; --n) reference.routes.push_back(random.route());
    reference.hosts = random.hosts();
    const RouteTable::Made made = RouteTable::make(reference.routes, reference.hosts);
    ASSERT_TRUE(made.problems.empty()) << made.problems[0].reason;
    for (int n = 0; n < 25; ++n) {
      const http::Request asked = random.request();
      const Explanation why = made.table.explain(asked, reference.routes, false);
      const int found = winner(made.table, asked);
      ++outcomes[std::min(found, 0) + 2];
      ASSERT_EQ(found, explained(why)) << asked.authority << asked.target.str();
      ASSERT_EQ(found, reference.winner(asked))
          << round << " " << asked.method << " " << asked.authority << asked.target.str() << "\n"
          << to_text(why, reference.routes);
    }
  }
  for (const int count : outcomes) EXPECT_GT(count, 100);
}

TEST(RoutesProperty, NoLoserOfAnExplanationMatches) {
  Random random(43);
  for (int round = 0; round < 300; ++round) {
    Routes routes;
    for (std::size_t n = 1 + random.below(10); n > 0; --n) routes.push_back(random.route());
    const RouteTable table = RouteTable::make(routes).table;
    for (int n = 0; n < 10; ++n) {
      const http::Request asked = random.request();
      for (const Explanation::Loser& loser : table.explain(asked, routes, false).losers) {
        EXPECT_EQ(winner(RouteTable::make({routes[loser.route]}).table, asked) >= 0, false)
            << loser.reason;
      }
    }
  }
}

}  // namespace
}  // namespace gatehouse::gateway
