// The reader of request heads: never reads past its input, and says the same however the bytes are
// cut: a head that is refused or taken is so as soon as enough of it is there.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/http1/codec.h"

namespace {

using gatehouse::net::http1::Framing;
using gatehouse::net::http1::parse_request_head;
using gatehouse::net::http1::RequestHead;

void require(bool holds) {
  if (!holds) std::abort();
}

/// What everything behind the codec relies on.
void check(const RequestHead& head) {
  require(gatehouse::http::is_token(head.request.method));
  require(head.request.target.path().starts_with('/'));
  for (const gatehouse::http::Field field : head.request.headers) {
    require(gatehouse::http::is_token(field.name));
    require(gatehouse::http::is_field_value(field.value));
  }
  for (const char* name : {"host", "content-length", "transfer-encoding", "connection", "upgrade",
                           "expect", "keep-alive"}) {
    require(!head.request.headers.has(name));
  }
  require(head.framing.kind != Framing::Kind::kUntilClose);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = text.size() * data[0] / 256;
  RequestHead part, whole;
  std::size_t part_consumed = 0, whole_consumed = 0;
  const auto early = parse_request_head(text.substr(0, cut), false, {}, part, part_consumed);
  const auto late = parse_request_head(text, false, {}, whole, whole_consumed);
  if (late && *late) check(whole);
  require(whole_consumed <= text.size());
  if (!early) return 0;
  require(late.has_value() && early->has_value() == late->has_value());
  if (*early) {
    require(part_consumed == whole_consumed && part.framing.length == whole.framing.length);
  }
  return 0;
}
