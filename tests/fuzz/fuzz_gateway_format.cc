// Any text as a template, filled with any values: what comes out cannot leave the place it is for,
// holds no cookie and no credential, and a template that is refused names a reason.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gateway/filters/format.h"
#include "http/headers.h"

namespace {

using gatehouse::gateway::Format;
using Use = Format::Use;

constexpr std::string_view kSecret = "Zq9secretqZ";

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_visible(char c) {
  return c >= ' ' && c <= '~';
}

/// `given` is what the template itself holds: only what comes from outside is judged where the
/// configuration may write what it likes.
void check(std::string_view text, std::string_view value, Use use) {
  gatehouse::http::Request request;
  gatehouse::http::Response response;
  for (const std::string_view name : {"A", "X-Forwarded-For"}) request.headers.add(name, value);
  for (const std::string_view name : {"Cookie", "Authorization", "X-Private"}) {
    request.headers.add(name, kSecret);
  }
  response.headers.add("Set-Cookie", kSecret);
  response.headers.add("B", value);
  request.authority = value;
  request.trace.route = value;
  const auto format = Format::parse(
      text, {.use = use, .private_fields = {"x-private"}, .lone_percent = use == Use::kHtml});
  if (!format) {
    require(!format.error().message.empty());
    return;
  }
  std::string out;
  format->append(out, {.request = request, .response = &response, .trailers = &response.headers});
  require(format->constant() == nullptr || *format->constant() == out);
  const bool may_copy_credentials = use == Use::kRequestField;
  if (!may_copy_credentials && !text.contains(kSecret) && !value.contains(kSecret)) {
    require(!out.contains(kSecret));
  }
  if (use == Use::kRequestField || use == Use::kResponseField) {
    require(std::ranges::all_of(out, gatehouse::http::is_value_byte));
  }
  const bool text_is_visible = std::ranges::all_of(text, is_visible);
  if ((use == Use::kLog || use == Use::kJson) && text_is_visible) {
    require(std::ranges::all_of(out, is_visible));
  }
  if (use == Use::kHtml && !text.contains('<')) require(!out.contains('<'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string_view text = input.substr(0, line);
  const std::string_view value = input.substr(std::min(line + 1, input.size()));
  for (const Use use :
       {Use::kRequestField, Use::kResponseField, Use::kLog, Use::kText, Use::kHtml, Use::kJson}) {
    check(text, value, use);
  }
  return 0;
}
