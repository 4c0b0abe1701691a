// Whatever comes: no removed cookie is left under any reading, and removing twice changes nothing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/cookies.h"

namespace {

std::string text_of(const gatehouse::http::Headers& headers) {
  std::string out;
  for (const gatehouse::http::Field field : headers) {
    out.append(field.value).push_back('\n');
  }
  return out;
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string> names = {"s", "gate_*"};
  gatehouse::http::Headers headers;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    headers.add("Cookie", line);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  gatehouse::http::remove_cookies(headers, names);
  gatehouse::http::for_each_cookie(headers, [&](const gatehouse::http::Cookie& cookie) {
    require(!gatehouse::http::cookie_is_named(cookie.name, names));
    return true;
  });
  require(gatehouse::http::cookie_values(headers, "s").empty());
  const std::string once = text_of(headers);
  gatehouse::http::remove_cookies(headers, names);
  require(text_of(headers) == once);
  return 0;
}
