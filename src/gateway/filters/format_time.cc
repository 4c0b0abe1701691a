#include "gateway/filters/format_time.h"

#include <array>
#include <ctime>

namespace gatehouse::gateway {
namespace {

constexpr std::size_t kFormatLimit = 256;
// No %n and %t, which are control bytes, nor %c, %x, %X and their kin, which depend on a locale.
constexpr std::string_view kConversions = "aAbBCdDeFgGhHIjklmMpPrRsSTuUVwWyYzZf%";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_fraction(std::string& out, std::size_t digits, long long microseconds) {
  std::string text = std::to_string(microseconds);
  text.insert(0, 6 - text.size(), '0');
  text.resize(9, '0');
  out.append(text, 0, digits);
}

void append_conversion(std::string& out, char conversion, const std::tm& parts) {
  const std::array<char, 3> format = {'%', conversion, '\0'};
  std::array<char, 64> text{};
  out.append(text.data(), std::strftime(text.data(), text.size(), format.data(), &parts));
}

}  // namespace

Result<void> check_time_format(std::string_view format) {
  if (format.size() > kFormatLimit) {
    return fail(ErrorCode::kInvalid, "the time format is longer than 256 bytes");
  }
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    const std::size_t start = i++;
    const bool sized = i + 1 < format.size() && format[i] >= '1' && format[i] <= '9';
    if (sized) ++i;
    const bool known = i < format.size() && kConversions.contains(format[i]);
    if (!known || (sized && format[i] != 'f')) {
      return fail(ErrorCode::kInvalid, "\"" + std::string(format.substr(start, i - start + 1)) +
                                           "\" is no conversion of a time");
    }
  }
  return {};
}

void append_time(std::string& out, std::string_view format, WallTime time) {
  const long long seconds = unix_seconds(time);
  const long long microseconds = (time - from_unix_seconds(seconds)).count();
  const std::time_t whole = seconds;
  std::tm parts{};
  gmtime_r(&whole, &parts);
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out.push_back(format[i]);
      continue;
    }
    ++i;
    std::size_t digits = 6;
    if (is_digit(format[i])) digits = static_cast<std::size_t>(format[i++] - '0');
    switch (format[i]) {
      case '%':
        out.push_back('%');
        break;
      case 'f':
        append_fraction(out, digits, microseconds);
        break;
      case 's':
        out.append(std::to_string(seconds));
        break;
      default:
        append_conversion(out, format[i], parts);
    }
  }
}

}  // namespace gatehouse::gateway
