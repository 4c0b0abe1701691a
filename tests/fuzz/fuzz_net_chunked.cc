// The decoder of chunked bodies: whole or cut in two at any place, it gives the same body and the
// same verdict.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/http1/codec.h"

namespace {

using gatehouse::net::http1::BodyDecoder;
using gatehouse::net::http1::Framing;
using Kind = BodyDecoder::Step::Kind;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Outcome {
  std::string body;
  Kind end = Kind::kNeedMore;
  std::size_t consumed = 0;
  bool operator==(const Outcome&) const = default;
};

/// Feeds it until it wants more, or is done.
void feed(BodyDecoder& decoder, std::string_view input, Outcome& outcome) {
  for (;;) {
    const BodyDecoder::Step step = decoder.next(input);
    require(step.consumed <= input.size());
    outcome.body += step.piece;
    outcome.end = step.kind;
    outcome.consumed += step.consumed;
    input.remove_prefix(step.consumed);
    if (step.kind != Kind::kPiece) break;
    require(!step.piece.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = text.size() * data[0] / 256;
  BodyDecoder whole({Framing::Kind::kChunked, 0});
  Outcome at_once;
  feed(whole, text, at_once);
  BodyDecoder parts({Framing::Kind::kChunked, 0});
  Outcome in_two;
  feed(parts, text.substr(0, cut), in_two);
  if (in_two.end == Kind::kNeedMore) feed(parts, text.substr(cut), in_two);
  require(at_once == in_two);
  require(whole.finished() == (at_once.end == Kind::kEnd));
  return 0;
}
