#include "gateway/routing/route_actions.h"

#include <utility>

#include "http/url.h"

namespace gatehouse::gateway {
namespace {

Result<PathReplacement> replacement_of(const config::Route& route, PrefixMode mode,
                                       std::vector<std::string>& warnings) {
  if (!route.rewrite_regex.empty()) {
    if (!route.rewrite.empty()) {
      warnings.emplace_back("rewrite has no effect beside rewrite_regex");
    }
    Result<PathReplacement> out =
        PathReplacement::regex(route.rewrite_regex, route.rewrite_substitution);
    if (!out) return std::unexpected(std::move(out).error().in("rewrite_regex"));
    return out;
  }
  if (route.rewrite.empty()) return PathReplacement();
  if (mode == PrefixMode::kRegex) {
    warnings.emplace_back("rewrite has no effect where match is regex; use rewrite_regex");
    return PathReplacement();
  }
  Result<PathReplacement> out = PathReplacement::prefix(route.prefix, mode, route.rewrite);
  if (!out) return std::unexpected(std::move(out).error().in("rewrite"));
  return out;
}

}  // namespace

Result<RouteActions> RouteActions::make(const config::Route& route,
                                        std::vector<std::string>& warnings) {
  RouteActions out;
  // RouteMatch says what is wrong with another mode.
  const PrefixMode mode = parse_prefix_mode(route.match).value_or(PrefixMode::kSegment);
  Result<PathReplacement> replacement = replacement_of(route, mode, warnings);
  if (!replacement) return fail(std::move(replacement));
  out.replacement = std::move(*replacement);
  if (!route.host_rewrite.empty()) {
    std::optional<std::string> host = http::parse_authority(route.host_rewrite);
    if (!host) {
      return fail(ErrorCode::kInvalid, "host_rewrite must be a host, with or without a port");
    }
    out.host_rewrite = std::move(*host);
  }
  out.auto_host_rewrite = route.auto_host_rewrite;
  if (is_redirect(route.redirect)) {
    Result<Redirection> redirection = Redirection::make(route.redirect, route.prefix, mode);
    if (!redirection) return std::unexpected(std::move(redirection).error().in("redirect"));
    out.redirection = std::move(*redirection);
  }
  return out;
}

bool RouteActions::rewrite(http::Target& target) const {
  if (replacement.keeps()) return true;
  const std::optional<std::string> path = replacement.apply(target.path());
  if (!path) return false;
  target.set_path(*path);
  return true;
}

}  // namespace gatehouse::gateway
