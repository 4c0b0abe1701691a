#include "gateway/routing/prefix_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "http/headers.h"

namespace gatehouse::gateway {
namespace {

std::vector<std::uint32_t> found(const PrefixIndex& index, std::string_view path) {
  std::vector<std::uint32_t> out;
  index.visit(path, [&](std::span<const std::uint32_t> ranks) {
    out.insert(out.end(), ranks.begin(), ranks.end());
  });
  return out;
}

TEST(PrefixIndex, GivesTheLongestPrefixFirst) {
  const PrefixIndex index({{"/", 4}, {"/a", 3}, {"/a/b", 1}, {"/a", 2}, {"/b", 0}}, false);
  using Ranks = std::vector<std::uint32_t>;
  EXPECT_EQ(found(index, "/a/b/c"), (Ranks{1, 2, 3, 4}));
  EXPECT_EQ(found(index, "/a/a"), (Ranks{2, 3, 4}));
  EXPECT_EQ(found(index, "/c"), (Ranks{4}));
  EXPECT_EQ(found(index, ""), Ranks{});
  EXPECT_EQ(found(PrefixIndex(), "/a"), Ranks{});
}

TEST(PrefixIndex, AgreesWithComparingEach) {
  std::mt19937 random(7);
  const auto text = [&random] {
    std::string out = "/";
    for (std::size_t n = random() % 6; n > 0; --n) out.push_back("aAb/~"[random() % 5]);
    return out;
  };
  for (int round = 0; round < 2000; ++round) {
    const bool folded = round % 2 == 1;
    std::vector<std::string> prefixes(random() % 12);
    std::vector<PrefixIndex::Item> items;
    for (std::uint32_t i = 0; i < prefixes.size(); ++i) {
      prefixes[i] = text();
      items.push_back({prefixes[i], i});
    }
    const PrefixIndex index(items, folded);
    const std::string path = text();
    std::vector<std::uint32_t> wanted;
    for (const PrefixIndex::Item& item : items) {
      const std::string_view head = std::string_view(path).substr(0, item.prefix.size());
      const bool same = folded ? http::equal_ignoring_case(head, item.prefix) : head == item.prefix;
      if (same) wanted.push_back(item.rank);
    }
    std::ranges::sort(wanted, [&](std::uint32_t x, std::uint32_t y) {
      return std::tuple(prefixes[y].size(), x) < std::tuple(prefixes[x].size(), y);
    });
    ASSERT_EQ(found(index, path), wanted) << path;
  }
}

}  // namespace
}  // namespace gatehouse::gateway
