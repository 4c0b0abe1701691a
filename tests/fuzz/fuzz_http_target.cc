// Whatever comes: a target that is accepted is in normal form, and reading it again changes
// nothing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"
#include "http/percent.h"
#include "http/target.h"
#include "http/url.h"

namespace {

using gatehouse::http::Target;

void require(bool holds) {
  if (!holds) std::abort();
}

bool holds_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    const std::string_view name = segment.substr(0, segment.find(';'));
    if (name == "." || name == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

void check_target(const Target& target) {
  const std::string_view path = target.path();
  require(path.starts_with('/') && path.find("//") == std::string_view::npos);
  require(path.find_first_of("?#\\ ") == std::string_view::npos);
  const std::string decoded = gatehouse::http::decode_what_can_be(path);
  require(!holds_dot_segment(decoded) && gatehouse::is_utf8(decoded));
  const auto again = gatehouse::http::parse_target(target.str());
  require(again && again->str() == target.str() && again->path() == path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto target = gatehouse::http::parse_target(text)) check_target(*target);
  if (gatehouse::http::is_local_redirect(text)) {
    require(text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\"));
  }
  if (const auto url = gatehouse::http::parse_url(text)) {
    const auto again = gatehouse::http::parse_url(url->str());
    require(again && again->str() == url->str());
  }
  if (const auto authority = gatehouse::http::parse_authority(text)) {
    require(gatehouse::http::parse_authority(*authority) == authority);
  }
  if (const auto form = gatehouse::http::parse_form(text)) {
    require(gatehouse::http::parse_form(gatehouse::http::encode_form(*form)) == *form);
  }
  return 0;
}
