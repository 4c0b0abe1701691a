// Which hosts a route or a Host is for: a name, "*.suffix", "prefix.*", or any; and a table that
// finds what is kept under the patterns that match a host, the most particular first.
//
// Hosts come as http::parse_authority() gives them: lower case, checked. Look-ups allocate nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gatehouse::gateway {

/// The host of an authority: without port.
std::string_view host_of(std::string_view authority);

struct HostPattern {
  enum class Kind { kExact, kSuffix, kPrefix, kAny };
  Kind kind = Kind::kAny;
  std::string text;  // "example.org", ".example.org", "example.", ""

  /// "" and "*" are any. nullopt for what is none, also with a port.
  static std::optional<HostPattern> parse(std::string_view pattern);
  /// `host` as parse_authority() gives it, without port.
  bool matches(std::string_view host) const;
  /// As people write it; "*" for any.
  std::string str() const;
};

template <class T>
class HostIndex {
 public:
  /// What is kept under that pattern; made if absent.
  T& operator[](const HostPattern& pattern) {
    return pattern.kind == HostPattern::Kind::kAny ? any_
                                                   : maps_[index(pattern.kind)][pattern.text];
  }
  bool contains(const HostPattern& pattern) const {
    if (pattern.kind == HostPattern::Kind::kAny) return false;
    return maps_[index(pattern.kind)].contains(pattern.text);
  }

  /// Calls `visit(const T&)` for each pattern but any that matches the host (a name, then the
  /// longest suffix, then the longest prefix) until it returns true; returns whether it did.
  template <class Visit>
  bool visit(std::string_view host, Visit visit) const;
  const T& any() const { return any_; }
  T& any() { return any_; }

  /// Calls `visit(const HostPattern&, const T&)` for each pattern but any, and lets it change T.
  template <class Visit>
  void for_each(Visit visit) {
    for (const auto kind : kKinds) {
      for (auto& [text, value] : maps_[index(kind)]) visit(HostPattern{kind, text}, value);
    }
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto kind : kKinds) {
      for (const auto& [text, value] : maps_[index(kind)]) visit(HostPattern{kind, text}, value);
    }
  }

 private:
  static constexpr HostPattern::Kind kKinds[] = {
      HostPattern::Kind::kExact, HostPattern::Kind::kSuffix, HostPattern::Kind::kPrefix};
  static constexpr std::size_t index(HostPattern::Kind kind) {
    return static_cast<std::size_t>(kind);
  }

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  /// True if `visit` took what is kept under that text.
  template <class Visit>
  static bool offer(const Map& map, std::string_view text, Visit& visit) {
    const auto found = map.find(text);
    return found != map.end() && visit(found->second);
  }

  Map maps_[3];
  T any_{};
};

template <class T>
template <class Visit>
bool HostIndex<T>::visit(std::string_view host, Visit visit) const {
  const auto& [exact, suffixes, prefixes] = maps_;
  if (!exact.empty() && offer(exact, host, visit)) return true;
  if (!suffixes.empty()) {
    for (std::size_t dot = host.find('.', 1); dot < host.size(); dot = host.find('.', dot + 1)) {
      if (offer(suffixes, host.substr(dot), visit)) return true;
    }
  }
  if (!prefixes.empty()) {
    for (std::size_t end = host.rfind('.'); end != std::string_view::npos && end > 0;
         end = host.rfind('.', end - 1)) {
      if (offer(prefixes, host.substr(0, end + 1), visit)) return true;
    }
  }
  return false;
}

}  // namespace gatehouse::gateway
