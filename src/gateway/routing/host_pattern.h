// Which hosts a route or a Host is for: a name, "*suffix", "prefix*", or any; and a table that
// finds what is kept under the patterns that match a host, the most particular first. Nearly all
// patterns are "*.suffix" or "prefix.*": a look-up stops at the dots of a host, and elsewhere only
// where some other pattern is as long.
//
// Hosts come as http::parse_authority() gives them: lower case, checked. Look-ups allocate nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
    if (pattern.kind == HostPattern::Kind::kAny) return any_;
    if (pattern.kind == HostPattern::Kind::kSuffix && pattern.text.front() != '.') {
      suffix_lengths_.add(pattern.text.size());
    } else if (pattern.kind == HostPattern::Kind::kPrefix && pattern.text.back() != '.') {
      prefix_lengths_.add(pattern.text.size());
    }
    return maps_[index(pattern.kind)][pattern.text];
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

  class Lengths {
   public:
    void add(std::size_t length) {
      known_.resize(std::max(known_.size(), length + 1));
      known_[length] = true;
    }
    bool has(std::size_t length) const { return length < known_.size() && known_[length]; }

   private:
    std::vector<bool> known_;
  };

  /// True if `visit` took what is kept under that text.
  template <class Visit>
  static bool offer(const Map& map, std::string_view text, Visit& visit) {
    const auto found = map.find(text);
    return found != map.end() && visit(found->second);
  }

  Map maps_[3];
  // Of the texts that do not begin, or end, at a dot.
  Lengths suffix_lengths_, prefix_lengths_;
  T any_{};
};

template <class T>
template <class Visit>
bool HostIndex<T>::visit(std::string_view host, Visit visit) const {
  const auto& [exact, suffixes, prefixes] = maps_;
  if (!exact.empty() && offer(exact, host, visit)) return true;
  if (!suffixes.empty()) {
    for (std::size_t at = 1; at < host.size(); ++at) {
      if (host[at] != '.' && !suffix_lengths_.has(host.size() - at)) continue;
      if (offer(suffixes, host.substr(at), visit)) return true;
    }
  }
  if (!prefixes.empty()) {
    for (std::size_t length = host.size(); length-- > 1;) {
      if (host[length - 1] != '.' && !prefix_lengths_.has(length)) continue;
      if (offer(prefixes, host.substr(0, length), visit)) return true;
    }
  }
  return false;
}

}  // namespace gatehouse::gateway
