#include <algorithm>
#include <array>

#include "net/http1/codec.h"
#include "net/http1/framing_fields.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http1 {
namespace {

using http::equal_ignoring_case;
using http::starts_with_ignoring_case;

constexpr std::size_t kChunkSizeDigits = 15;  // 2^60: no chunk is longer, and no sum overflows

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

BodyDecoder::Step piece_of(std::string_view input, std::size_t position, std::size_t size) {
  return {.kind = BodyDecoder::Step::Kind::kPiece,
          .piece = input.substr(position, size),
          .consumed = position + size};
}

}  // namespace

bool is_forbidden_trailer(std::string_view name) {
  constexpr std::array<std::string_view, 17> kForbidden = {
      "authorization", "cache-control",    "content-encoding", "content-range", "content-type",
      "cookie",        "expect",           "forwarded",        "max-forwards",  "origin",
      "range",         "set-cookie",       "trailer",          "vary",          "via",
      "location",      "www-authenticate",
  };
  if (is_framing_name(name)) return true;
  if (starts_with_ignoring_case(name, "proxy-")) return true;
  if (starts_with_ignoring_case(name, "x-forwarded-")) return true;
  return std::ranges::any_of(
      kForbidden, [name](std::string_view other) { return equal_ignoring_case(name, other); });
}

bool is_allowed_trailer(std::string_view name) {
  constexpr std::array<std::string_view, 7> kAllowed = {
      "grpc-status", "grpc-message", "grpc-status-details-bin", "server-timing", "content-digest",
      "repr-digest", "digest",
  };
  if (starts_with_ignoring_case(name, "x-checksum-")) return true;
  if (starts_with_ignoring_case(name, "x-amz-checksum-")) return true;
  return std::ranges::any_of(
      kAllowed, [name](std::string_view other) { return equal_ignoring_case(name, other); });
}

bool has_trailing_metadata(std::string_view content_type) {
  return starts_with_ignoring_case(content_type, "application/grpc");
}

BodyDecoder::BodyDecoder(Framing framing, Limits limits) : state_(State::kDone), limits_(limits) {
  switch (framing.kind) {
    case Framing::Kind::kNone:
      break;
    case Framing::Kind::kLength:
      left_ = framing.length;
      if (left_ != 0) state_ = State::kLength;
      break;
    case Framing::Kind::kChunked:
      state_ = State::kChunkSize;
      break;
    case Framing::Kind::kUntilClose:
      state_ = State::kUntilClose;
      break;
  }
}

BodyDecoder::Step BodyDecoder::next(std::string_view input) {
  std::size_t position = 0;
  for (;;) {
    switch (state_) {
      case State::kDone:
        return {.kind = Step::Kind::kEnd, .consumed = position};
      case State::kBad:
        return bad(position, "the body was refused before");
      case State::kTrailers:
        return take_trailers(input, position);
      default:
        break;
    }
    if (position == input.size()) return {.kind = Step::Kind::kNeedMore, .consumed = position};
    const bool in_data =
        state_ == State::kLength || state_ == State::kChunkData || state_ == State::kUntilClose;
    if (in_data) return take_data(input, position);
    const std::string_view fault = take_framing_byte(input[position]);
    if (!fault.empty()) return bad(position, fault);
    ++position;
  }
}

BodyDecoder::Step BodyDecoder::take_data(std::string_view input, std::size_t position) {
  const std::size_t available = input.size() - position;
  if (state_ == State::kUntilClose) return piece_of(input, position, available);
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(available, left_));
  left_ -= size;
  if (left_ == 0) state_ = state_ == State::kLength ? State::kDone : State::kChunkEnd;
  return piece_of(input, position, size);
}

std::string_view BodyDecoder::take_framing_byte(char c) {
  switch (state_) {
    case State::kChunkSize:
      return take_size_byte(c);
    case State::kChunkExtension:
      return take_extension_byte(c);
    case State::kChunkSizeEnd:
      if (c != '\n') return "a bare CR in a chunk's first line";
      begin_chunk();
      return {};
    case State::kChunkEnd:
      if (c != '\r') return "bytes between a chunk's data and its CRLF";
      state_ = State::kChunkEndEnd;
      return {};
    default:  // kChunkEndEnd
      if (c != '\n') return "a bare CR behind a chunk's data";
      state_ = State::kChunkSize;
      return {};
  }
}

std::string_view BodyDecoder::take_size_byte(char c) {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (++line_bytes_ > kChunkSizeDigits) return "a chunk size with too many digits";
    left_ = left_ * 16 + static_cast<unsigned>(digit);
    return {};
  }
  if (line_bytes_ == 0) return "a chunk without a size";
  if (c != ';' && c != '\r') return "a chunk size that is not hex digits alone";
  line_bytes_ = 0;
  state_ = c == ';' ? State::kChunkExtension : State::kChunkSizeEnd;
  return {};
}

/// Extensions say nothing that anybody heeds; they are passed over and not passed on.
std::string_view BodyDecoder::take_extension_byte(char c) {
  if (c == '\r') {
    line_bytes_ = 0;
    state_ = State::kChunkSizeEnd;
    return {};
  }
  if (!is_of(c, kTargetByte) && !http::is_blank(c)) return "a chunk extension with a control byte";
  if (++line_bytes_ > limits_.chunk_extension_bytes) return "a chunk extension that is too long";
  return {};
}

void BodyDecoder::begin_chunk() {
  state_ = left_ == 0 ? State::kTrailers : State::kChunkData;
}

BodyDecoder::Step BodyDecoder::take_trailers(std::string_view input, std::size_t position) {
  // Byte by byte: trailers are rare and short, and what follows them is the next message's.
  while (position < input.size()) {
    trailer_text_.push_back(input[position++]);
    if (trailer_text_.size() > limits_.trailer_bytes) return bad(position, "too long trailers");
    if (trailer_text_.back() != '\n') continue;
    const bool last = trailer_text_ == "\r\n" || trailer_text_.ends_with("\n\r\n");
    if (!last) continue;
    const std::string_view fault = read_trailers();
    if (!fault.empty()) return bad(position, fault);
    state_ = State::kDone;
    trailer_text_ = {};
    return {.kind = Step::Kind::kEnd, .consumed = position};
  }
  return {.kind = Step::Kind::kNeedMore, .consumed = position};
}

std::string_view BodyDecoder::read_trailers() {
  std::size_t position = 0;
  for (std::size_t fields = 0; fields <= limits_.fields; ++fields) {
    const FieldLine line = read_field_line(trailer_text_, position);
    switch (line.kind) {
      case FieldLine::Kind::kLast:
        // The text was cut at its first empty line by another rule than this reader's: they agree,
        // or a line was ended by a bare LF.
        return position == trailer_text_.size() ? "" : "trailers behind an empty line";
      case FieldLine::Kind::kIncomplete:
        return "trailers that do not end";
      case FieldLine::Kind::kBad:
        return line.reason;
      case FieldLine::Kind::kField:
        break;
    }
    if (is_forbidden_trailer(line.field.name)) return "a trailer that no trailer may be";
    if (is_allowed_trailer(line.field.name)) trailers_.add(line.field.name, line.field.value);
  }
  return "too many trailers";
}

BodyDecoder::Step BodyDecoder::bad(std::size_t consumed, std::string_view reason) {
  state_ = State::kBad;
  return {.kind = Step::Kind::kBad, .consumed = consumed, .reason = reason};
}

void BodyDecoder::skip(std::uint64_t bytes) {
  left_ -= bytes;
  if (left_ == 0) state_ = State::kDone;
}

bool BodyDecoder::end_of_input() {
  if (state_ == State::kUntilClose) state_ = State::kDone;
  if (state_ != State::kDone) state_ = State::kBad;
  return state_ == State::kDone;
}

}  // namespace gatehouse::net::http1
