#include "gateway/routing/host_pattern.h"

#include "http/url.h"

namespace gatehouse::gateway {

std::string_view host_of(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.ends_with(']')) return authority;
  return authority.substr(0, colon);
}

std::optional<HostPattern> HostPattern::parse(std::string_view pattern) {
  if (pattern.empty() || pattern == "*") return HostPattern{};
  HostPattern out{Kind::kExact, {}};
  // A pattern is one if it is a name when a letter stands for its star.
  std::string example(pattern);
  if (pattern.starts_with('*')) {
    out.kind = Kind::kSuffix;
    example.front() = 'a';
  } else if (pattern.ends_with('*')) {
    out.kind = Kind::kPrefix;
    example.back() = 'a';
  }
  const std::optional<std::string> name = http::parse_authority(example);
  if (!name || host_of(*name) != *name) return std::nullopt;
  out.text = *name;
  if (out.kind == Kind::kSuffix) out.text.erase(0, 1);
  if (out.kind == Kind::kPrefix) out.text.pop_back();
  if (out.text.empty()) return std::nullopt;
  return out;
}

bool HostPattern::matches(std::string_view host) const {
  switch (kind) {
    case Kind::kExact:
      return host == text;
    case Kind::kSuffix:
      return host.size() > text.size() && host.ends_with(text);
    case Kind::kPrefix:
      return host.size() > text.size() && host.starts_with(text);
    case Kind::kAny:
      break;
  }
  return true;
}

std::string HostPattern::str() const {
  switch (kind) {
    case Kind::kExact:
      return text;
    case Kind::kSuffix:
      return "*" + text;
    case Kind::kPrefix:
      return text + "*";
    case Kind::kAny:
      break;
  }
  return "*";
}

}  // namespace gatehouse::gateway
