// Which route a request takes: by host, then by the longest prefix of whole path segments.
//
// An immutable table, made once from the configuration; look-ups walk a tree of segments and
// allocate nothing. Hosts are tried from the most to the least particular (exact, then the longest
// "*.suffix", then any); the first that has a matching prefix wins. A path whose route would be
// another if its path parameters (";…") were left out is refused, because servers differ in whether
// they leave them out (CVE-2026-73511).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "http/target.h"

namespace gatehouse::gateway {

class RouteTable {
 public:
  enum class Miss { kNone, kAmbiguous };

  /// kInvalid names the route that cannot be: a bad host, a prefix or rewrite that is not a path in
  /// normal form, the same host and prefix twice.
  static Result<RouteTable> make(const std::vector<config::Route>& routes);

  /// The index of the winning route in the vector given to make(). `authority` as in http::Request.
  Result<std::size_t, Miss> find(std::string_view authority, std::string_view path) const;

 private:
  /// A path segment and the routes that end there.
  struct Node {
    std::map<std::string, std::size_t, std::less<>> children;
    std::optional<std::size_t> here;   // prefix "/a": this segment and all below
    std::optional<std::size_t> below;  // prefix "/a/": a slash must follow
  };
  /// The routes of one host pattern.
  struct Tree {
    std::vector<Node> nodes{1};
    /// False if that prefix is taken.
    bool insert(std::string_view prefix, std::size_t route);
    std::optional<std::size_t> find(std::string_view path) const;
  };

  std::optional<std::size_t> find_plain(std::string_view host, std::string_view path) const;
  Tree& tree_of(const std::string& pattern);

  std::map<std::string, Tree, std::less<>> exact_;
  std::vector<std::pair<std::string, Tree>> suffixes_;  // ".example.org"; longest first
  Tree any_;
};

/// The host of an authority: without port.
std::string_view host_of(std::string_view authority);

/// Replaces the route's prefix by its rewrite, in whole segments; the result is in normal form.
/// Nothing if the route has no rewrite. The target's path must have the route's prefix.
void rewrite(const config::Route& route, http::Target& target);

}  // namespace gatehouse::gateway
