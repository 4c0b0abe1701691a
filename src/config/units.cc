#include "config/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace gatehouse::config {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t size;
};

// Larger first.
constexpr std::array<Unit, 5> kDurations{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kSizes{
    {{"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"B", 1}}};

constexpr std::string_view kDurationForm =
    "must be a duration with its unit (ms, s, m, h or d), as 500ms, 10s or 1h30m";
constexpr std::string_view kBytesForm = "must be a size in bytes, as 65536, 64KiB or 1MiB";

/// Takes the digits off the front of `text`.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::string_view take_letters(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("0123456789"), text.size());
  const std::string_view letters = text.substr(0, end);
  text.remove_prefix(end);
  return letters;
}

/// number × size, or nullopt on overflow.
std::optional<std::int64_t> scaled(std::int64_t number, std::int64_t size) {
  std::int64_t out = 0;
  if (__builtin_mul_overflow(number, size, &out)) return std::nullopt;
  return out;
}

}  // namespace

Result<std::chrono::milliseconds, std::string> parse_duration(std::string_view text) {
  const std::unexpected<std::string> wrong{std::string(kDurationForm)};
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return wrong;
  std::int64_t total = 0;
  const Unit* last = nullptr;
  while (!text.empty()) {
    const std::optional<std::int64_t> number = take_number(text);
    const std::string_view suffix = take_letters(text);
    const auto* unit = std::ranges::find(kDurations, suffix, &Unit::suffix);
    if (!number || unit == kDurations.end() || (last != nullptr && unit <= last)) return wrong;
    const std::optional<std::int64_t> part = scaled(*number, unit->size);
    if (!part || __builtin_add_overflow(total, *part, &total)) return wrong;
    last = unit;
  }
  return std::chrono::milliseconds(total);
}

std::string format_duration(std::chrono::milliseconds duration) {
  std::int64_t left = duration.count();
  std::string out;
  // Days read well only when nothing is left over: 36h, but 30d.
  const bool whole_days = left % kDurations.front().size == 0 && left > kDurations.front().size;
  for (const Unit& unit : kDurations) {
    if (unit.suffix == "d" && !whole_days) continue;
    if (left < unit.size) continue;
    out += std::to_string(left / unit.size);
    out += unit.suffix;
    left %= unit.size;
  }
  return out.empty() ? "0s" : out;
}

Result<std::uint64_t, std::string> parse_bytes(std::string_view text) {
  const std::unexpected<std::string> wrong{std::string(kBytesForm)};
  const std::optional<std::int64_t> number = take_number(text);
  if (!number) return wrong;
  const std::string_view suffix = text.empty() ? "B" : text;
  const auto* unit = std::ranges::find(kSizes, suffix, &Unit::suffix);
  if (unit == kSizes.end()) return wrong;
  const std::optional<std::int64_t> bytes = scaled(*number, unit->size);
  if (!bytes) return wrong;
  return static_cast<std::uint64_t>(*bytes);
}

std::string format_bytes(std::uint64_t bytes) {
  for (const Unit& unit : kSizes) {
    const auto size = static_cast<std::uint64_t>(unit.size);
    if (size > 1 && bytes >= size && bytes % size == 0) {
      return std::to_string(bytes / size) + std::string(unit.suffix);
    }
  }
  return std::to_string(bytes);
}

}  // namespace gatehouse::config
