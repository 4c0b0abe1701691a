#include "net/date_field.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace gatehouse::net {
namespace {

/// IMF-fixdate. strftime would write the names in the process's language.
std::string imf_fixdate(WallTime time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
      kDays[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace

std::string_view DateField::value() {
  if (value_.empty() || loop_.now() >= good_until_) {
    const WallTime now = loop_.clock().now();
    value_ = imf_fixdate(now);
    good_until_ = loop_.now() + (std::chrono::ceil<std::chrono::seconds>(now) - now);
  }
  return value_;
}

}  // namespace gatehouse::net
