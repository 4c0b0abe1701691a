// Finds all of many prefixes that a path begins with, the longest first, by one binary search.
//
// The prefixes lie sorted in one buffer; each knows the longest other one that it begins with. All
// prefixes of a path are then the greatest one that is not greater than the path and what it begins
// with. Look-ups allocate nothing. Whether a prefix matches by segments, as a string or exactly is
// for the caller to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::gateway {

class PrefixIndex {
 public:
  struct Item {
    std::string_view prefix;
    std::uint32_t rank = 0;
  };

  PrefixIndex() = default;
  /// Copies what it needs. `folded`: "/A" is found as "/a" too.
  PrefixIndex(std::vector<Item> items, bool folded);

  /// Calls `visit(std::span<const std::uint32_t>)` with the ranks, ascending, of each prefix that
  /// the path begins with byte by byte.
  template <class Visit>
  void visit(std::string_view path, Visit visit) const {
    for (std::uint32_t at = longest(path); at != kNone; at = entries_[at].parent) {
      const Entry& entry = entries_[at];
      visit(std::span(ranks_).subspan(entry.first_rank, entry.ranks));
    }
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Entry {
    std::uint32_t key = 0, length = 0;        // in keys_
    std::uint32_t first_rank = 0, ranks = 0;  // in ranks_
    std::uint32_t parent = kNone;             // the longest other key that this one begins with
  };

  std::string_view key(const Entry& entry) const {
    return std::string_view(keys_).substr(entry.key, entry.length);
  }
  /// The longest key that the path begins with, or kNone.
  std::uint32_t longest(std::string_view path) const;
  template <bool kFolded>
  std::uint32_t search(std::string_view path) const;
  void add_entry(std::string_view key);
  void link();

  bool folded_ = false;
  std::string keys_;
  std::vector<Entry> entries_;  // by key
  std::vector<std::uint32_t> ranks_;
};

}  // namespace gatehouse::gateway
