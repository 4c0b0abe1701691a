#include "gateway/routing/redirection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "http/url.h"

namespace gatehouse::gateway {
namespace {

constexpr std::array kStatuses = {301, 302, 303, 307, 308};

Result<PathReplacement> replacement(const config::Redirect& redirect, std::string_view prefix,
                                    PrefixMode mode) {
  const auto given = static_cast<int>(!redirect.path.empty()) +
                     static_cast<int>(!redirect.prefix.empty()) +
                     static_cast<int>(!redirect.regex.empty());
  if (given > 1) {
    return fail(ErrorCode::kInvalid, "give one of path, prefix and regex, not more");
  }
  Result<PathReplacement> out = PathReplacement();
  std::string_view at;
  if (!redirect.path.empty()) {
    out = PathReplacement::whole(redirect.path);
    at = "path";
  } else if (!redirect.prefix.empty()) {
    out = PathReplacement::prefix(prefix, mode, redirect.prefix);
    at = "prefix";
  } else if (!redirect.regex.empty()) {
    out = PathReplacement::regex(redirect.regex, redirect.substitution);
    at = "regex";
  }
  if (!out) return std::unexpected(std::move(out).error().in(at));
  return out;
}

}  // namespace

bool is_redirect(const config::Redirect& redirect) {
  return !redirect.host.empty() || !redirect.path.empty() || !redirect.prefix.empty() ||
         !redirect.regex.empty();
}

Result<Redirection> Redirection::make(const config::Redirect& redirect, std::string_view prefix,
                                      PrefixMode mode) {
  Redirection out;
  if (!redirect.host.empty()) {
    std::optional<std::string> host = http::parse_authority(redirect.host);
    if (!host) return fail(ErrorCode::kInvalid, "host must be a host, with or without a port");
    out.host_ = std::move(*host);
  }
  Result<PathReplacement> path = replacement(redirect, prefix, mode);
  if (!path) return fail(std::move(path));
  out.path_ = std::move(*path);
  out.drops_query_ = redirect.path.contains('?');
  out.https_ = redirect.https;
  if (std::ranges::find(kStatuses, redirect.status) == kStatuses.end()) {
    return fail(ErrorCode::kInvalid, "status must be 301, 302, 303, 307 or 308");
  }
  out.status_ = redirect.status;
  return out;
}

std::optional<std::string> Redirection::location(const http::Request& request, bool secure) const {
  std::optional<std::string> path = path_.apply(request.target.path());
  if (!path) return std::nullopt;
  const std::string_view target = request.target.str();
  if (!drops_query_) path->append(target.substr(request.target.path().size()));
  std::string_view host = host_.empty() ? std::string_view(request.authority) : host_;
  const bool to_https = https_ && !secure;
  if (host.empty()) {
    if (to_https) return std::nullopt;
    return path;
  }
  // The port of http, said aloud, is not the one of https.
  if (to_https && host_.empty() && host.ends_with(":80")) host.remove_suffix(3);
  std::string out = secure || https_ ? "https://" : "http://";
  out.append(host).append(*path);
  return out;
}

}  // namespace gatehouse::gateway
