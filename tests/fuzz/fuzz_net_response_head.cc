// The reader of response heads: never reads past its input, says the same however the bytes are
// cut, and what it writes out again is read as the same head.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/http1/codec.h"

namespace {

using gatehouse::net::http1::Framing;
using gatehouse::net::http1::parse_response_head;
using gatehouse::net::http1::ResponseHead;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_written_again(const ResponseHead& head, std::string_view method) {
  std::string out;
  gatehouse::net::http1::write_response_head(out, head.response, head.framing, true,
                                             gatehouse::http::Version::kHttp11);
  ResponseHead again;
  std::size_t consumed = 0;
  const auto parsed = parse_response_head(out, method, {.fields = 200}, again, consumed);
  if (out.size() > gatehouse::net::http1::Limits{}.head_bytes) return;
  require(parsed && *parsed && consumed == out.size());
  require(again.framing.kind == head.framing.kind && again.framing.length == head.framing.length);
  require(again.response.status == head.response.status);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view method = data[0] % 2 == 0 ? "GET" : "HEAD";
  const std::size_t cut = text.size() * data[0] / 256;
  ResponseHead part, whole;
  std::size_t part_consumed = 0, whole_consumed = 0;
  const auto early = parse_response_head(text.substr(0, cut), method, {}, part, part_consumed);
  const auto late = parse_response_head(text, method, {}, whole, whole_consumed);
  require(whole_consumed <= text.size());
  if (late && *late) check_written_again(whole, method);
  if (early) require(late.has_value() && early->has_value() == late->has_value());
  return 0;
}
