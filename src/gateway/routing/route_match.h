// All that a route asks of a request, compiled; and the order among routes.
//
// Immutable. mismatch() alone decides whether a route matches: look-ups, explanations and the
// indexes in front of them all end here.
//
// The order is Ambassador's: descending by [precedence, length of prefix, number of header matches,
// number of query matches, prefix, method]. Before "prefix" come two that Ambassador does not have:
// a case-sensitive route stands before one that is not, so that "/Admin" is not taken by a
// case-insensitive "/admin"; and exact before segment before string before regex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/routing/field_match.h"
#include "gateway/routing/host_pattern.h"
#include "gateway/routing/path_match.h"
#include "gateway/routing/regex.h"
#include "http/message.h"

namespace gatehouse::gateway {

/// What routes are held against: a request, or another reading of its path.
struct Subject {
  const http::Request& request;
  std::string_view host;  // without port
  std::string_view path;
  /// Which of the Hosts' route selectors holds; kNoSelector: none.
  std::size_t selector = kNoSelector;
  /// As if no route cared for the case of paths.
  bool any_case = false;

  static constexpr std::size_t kNoSelector = SIZE_MAX;
};

/// The first thing in which a route does not match.
struct Mismatch {
  enum class Of : std::uint8_t { kPath, kHost, kLabel, kMethod, kHeader, kQuery };
  Of of = Of::kPath;
  std::size_t field = 0;  // of kHeader and kQuery: which
  FieldMatch::Outcome outcome = FieldMatch::Outcome::kMissing;
};

class RouteMatch {
 public:
  /// `with_any_case`: Subject::any_case may be asked for. kInvalid says what is wrong.
  static Result<RouteMatch> make(const config::Route& route, bool with_any_case);
  /// False of a route that says so of a prefix with letters; without letters there is no case.
  static bool is_case_sensitive(const config::Route& route);

  /// Which route selectors let this route match, by their place.
  void set_selected(std::vector<bool> selected);

  /// nullopt if the route matches; but for `host` itself, which is for the table.
  std::optional<Mismatch> mismatch(const Subject& subject) const;
  /// "method GET is not POST".
  std::string describe(const Mismatch& mismatch, const Subject& subject) const;

  const HostPattern& host() const { return host_; }
  bool has_host_regex() const { return host_regex_.has_value(); }
  PrefixMode mode() const { return mode_; }
  const std::string& prefix() const { return prefix_; }
  bool case_sensitive() const { return case_sensitive_; }
  /// Equal for routes that match the same.
  std::string key() const;
  /// True if this one is tried first.
  bool before(const RouteMatch& other) const;

 private:
  RouteMatch() = default;
  Result<void> set_host(const config::Route& route);
  Result<void> set_path(const config::Route& route, bool with_any_case);
  Result<void> set_method(const config::Route& route);
  Result<void> set_fields(const config::Route& route);
  bool matches_path(const Subject& subject) const;
  bool matches_method(std::string_view method) const;

  HostPattern host_;
  std::optional<Regex> host_regex_;
  std::string host_pattern_;  // of host_regex_
  PrefixMode mode_ = PrefixMode::kSegment;
  bool case_sensitive_ = true;
  std::string prefix_;
  std::optional<Regex> path_regex_;
  std::optional<Regex> path_regex_any_case_;
  std::vector<std::string> methods_;  // sorted
  std::optional<Regex> method_regex_;
  std::string method_;               // the methods by commas, or the pattern of method_regex_
  std::vector<FieldMatch> headers_;  // by key
  std::vector<FieldMatch> query_;
  std::vector<bool> selected_;
  int precedence_ = 0;
};

}  // namespace gatehouse::gateway
