#include "gateway/routing/prefix_index.h"

#include <algorithm>
#include <tuple>

#include "gateway/routing/path_match.h"
#include "http/headers.h"

namespace gatehouse::gateway {
namespace {

/// How many bytes two texts have in common at their beginning, from `known` on, which they have.
template <bool kFolded>
std::size_t common(std::string_view key, std::string_view path, std::size_t known) {
  const std::size_t end = std::min(key.size(), path.size());
  while (known < end && key[known] == (kFolded ? fold(path[known]) : path[known])) ++known;
  return known;
}

/// Whether the key is greater than the path, which differ behind `common` bytes.
template <bool kFolded>
bool is_greater(std::string_view key, std::string_view path, std::size_t common) {
  if (common == key.size()) return false;
  if (common == path.size()) return true;
  const char c = kFolded ? fold(path[common]) : path[common];
  return static_cast<unsigned char>(key[common]) > static_cast<unsigned char>(c);
}

}  // namespace

PrefixIndex::PrefixIndex(std::vector<Item> items, bool folded) : folded_(folded) {
  std::vector<std::string> lower;
  if (folded) {
    lower.reserve(items.size());
    for (Item& item : items) item.prefix = lower.emplace_back(http::lower_case(item.prefix));
  }
  std::ranges::sort(items, {}, [](const Item& item) { return std::tie(item.prefix, item.rank); });
  for (const Item& item : items) {
    if (entries_.empty() || key(entries_.back()) != item.prefix) add_entry(item.prefix);
    ranks_.push_back(item.rank);
    ++entries_.back().ranks;
  }
  link();
}

void PrefixIndex::add_entry(std::string_view key) {
  Entry entry;
  entry.key = static_cast<std::uint32_t>(keys_.size());
  entry.length = static_cast<std::uint32_t>(key.size());
  entry.first_rank = static_cast<std::uint32_t>(ranks_.size());
  keys_.append(key);
  entries_.push_back(entry);
}

void PrefixIndex::link() {
  for (std::uint32_t i = 1; i < entries_.size(); ++i) {
    std::uint32_t parent = i - 1;
    while (parent != kNone && !key(entries_[i]).starts_with(key(entries_[parent]))) {
      parent = entries_[parent].parent;
    }
    entries_[i].parent = parent;
  }
}

std::uint32_t PrefixIndex::longest(std::string_view path) const {
  return folded_ ? search<true>(path) : search<false>(path);
}

template <bool kFolded>
std::uint32_t PrefixIndex::search(std::string_view path) const {
  // Keys below `low` are not greater than the path, keys from `high` on are. What the path has in
  // common with both neighbours, it has with all keys between them.
  std::size_t low = 0;
  std::size_t high = entries_.size();
  std::size_t with_low = 0;
  std::size_t with_high = 0;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const std::string_view at = key(entries_[middle]);
    const std::size_t same = common<kFolded>(at, path, std::min(with_low, with_high));
    if (is_greater<kFolded>(at, path, same)) {
      high = middle;
      with_high = same;
    } else {
      low = middle + 1;
      with_low = same;
    }
  }
  if (low == 0) return kNone;
  auto found = static_cast<std::uint32_t>(low - 1);
  while (found != kNone && entries_[found].length > with_low) found = entries_[found].parent;
  return found;
}

}  // namespace gatehouse::gateway
