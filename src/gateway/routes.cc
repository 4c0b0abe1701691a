#include "gateway/routes.h"

#include <algorithm>

#include "gateway/route_name.h"
#include "http/url.h"

namespace gatehouse::gateway {
namespace {

bool is_normal_path(std::string_view path) {
  const Result<http::Target, http::TargetError> target = http::parse_target(path);
  return target && target->str() == path && target->path() == path;
}

/// "" for any, "example.org" or ".example.org", in lower case; nullopt if it is no host pattern.
std::optional<std::string> host_pattern(std::string_view host) {
  if (host.empty() || host == "*") return "";
  const bool wild = host.starts_with("*.");
  const std::optional<std::string> name = http::parse_authority(host.substr(wild ? 2 : 0));
  if (!name || host_of(*name) != *name) return std::nullopt;
  return wild ? "." + *name : *name;
}

/// Splits the first segment off `path`, which begins with a slash.
std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

bool has_parameters(std::string_view path) {
  if (path.contains(';')) return true;
  return path.contains("%3b") || path.contains("%3B");
}

/// The path as servers see it that drop path parameters.
std::string without_parameters(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::string_view segment = next_segment(path);
    const std::size_t end = std::min({segment.find(';'), segment.find("%3b"), segment.find("%3B")});
    if (!out.ends_with('/')) out.push_back('/');
    out.append(segment.substr(0, end));
  }
  return out;
}

std::unexpected<Error> bad_route(const config::Route& route, std::string_view what) {
  return fail(ErrorCode::kInvalid, "route \"" + route_name(route) + "\": " + std::string(what));
}

}  // namespace

std::string_view host_of(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.ends_with(']')) return authority;
  return authority.substr(0, colon);
}

bool RouteTable::Tree::insert(std::string_view prefix, std::size_t route) {
  std::size_t node = 0;
  const bool below = prefix.ends_with('/');
  if (below) prefix.remove_suffix(1);
  while (!prefix.empty()) {
    const auto [child, fresh] =
        nodes[node].children.try_emplace(std::string(next_segment(prefix)), nodes.size());
    node = child->second;
    if (fresh) nodes.emplace_back();
  }
  std::optional<std::size_t>& place = below ? nodes[node].below : nodes[node].here;
  if (place) return false;
  place = route;
  return true;
}

std::optional<std::size_t> RouteTable::Tree::find(std::string_view path) const {
  const Node* node = &nodes.front();
  std::optional<std::size_t> best;
  for (;;) {
    if (node->here) best = node->here;
    if (path.empty()) return best;
    if (node->below) best = node->below;
    const auto child = node->children.find(next_segment(path));
    if (child == node->children.end()) return best;
    node = &nodes[child->second];
  }
}

RouteTable::Tree& RouteTable::tree_of(const std::string& pattern) {
  if (pattern.empty()) return any_;
  if (!pattern.starts_with('.')) return exact_[pattern];
  const auto longer = [&pattern](const auto& entry) {
    return entry.first.size() > pattern.size() ||
           (entry.first.size() == pattern.size() && entry.first < pattern);
  };
  const auto place = std::ranges::partition_point(suffixes_, longer);
  if (place != suffixes_.end() && place->first == pattern) return place->second;
  return suffixes_.insert(place, {pattern, Tree()})->second;
}

Result<RouteTable> RouteTable::make(const std::vector<config::Route>& routes) {
  RouteTable table;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const config::Route& route = routes[i];
    const std::optional<std::string> host = host_pattern(route.host);
    if (!host) return bad_route(route, "host must be a name, \"*.\" and a name, or nothing");
    if (!is_normal_path(route.prefix)) {
      return bad_route(route,
                       "prefix must be a path without escapes of plain letters, \"//\", "
                       "\"..\" or a query");
    }
    if (!route.rewrite.empty() && !is_normal_path(route.rewrite)) {
      return bad_route(route, "rewrite must be a path of the same form as a prefix, or nothing");
    }
    if (!table.tree_of(*host).insert(route.prefix, i)) {
      return bad_route(route, "another route has the same host and prefix");
    }
  }
  return table;
}

std::optional<std::size_t> RouteTable::find_plain(std::string_view host,
                                                  std::string_view path) const {
  if (const auto exact = exact_.find(host); exact != exact_.end()) {
    if (const std::optional<std::size_t> found = exact->second.find(path)) return found;
  }
  for (const auto& [suffix, tree] : suffixes_) {
    if (host.size() <= suffix.size() || !host.ends_with(suffix)) continue;
    if (const std::optional<std::size_t> found = tree.find(path)) return found;
  }
  return any_.find(path);
}

Result<std::size_t, RouteTable::Miss> RouteTable::find(std::string_view authority,
                                                       std::string_view path) const {
  const std::string_view host = host_of(authority);
  const std::optional<std::size_t> found = find_plain(host, path);
  if (has_parameters(path) && find_plain(host, without_parameters(path)) != found) {
    return std::unexpected(Miss::kAmbiguous);
  }
  if (!found) return std::unexpected(Miss::kNone);
  return *found;
}

void rewrite(const config::Route& route, http::Target& target) {
  if (route.rewrite.empty()) return;
  std::string_view prefix = route.prefix;
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  const std::string rest(target.path().substr(prefix.size()));  // empty, or begins with a slash
  std::string path = route.rewrite;
  if (!rest.empty() && path.ends_with('/')) path.pop_back();
  target.set_path(path + rest);
}

}  // namespace gatehouse::gateway
