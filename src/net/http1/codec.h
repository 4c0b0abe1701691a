// HTTP/1.1 on the wire, as pure state machines (RFC 9112). No I/O: bytes in, events out.
//
// Strict where two readers could differ: CRLF alone ends a line; no white space before a colon; no
// obs-fold; Content-Length and Transfer-Encoding together are refused; one Host; chunked is the
// only coding and the last; chunk sizes are hex digits alone, extensions are bounded and hold no
// bare LF, CR or NUL. What is refused here closes the connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/last_authority.h"
#include "http/message.h"

namespace gatehouse::net::http1 {

struct Limits {
  std::size_t head_bytes = 64 * 1024;  // request or status line with all fields
  std::size_t fields = 128;
  std::size_t target_bytes = http::kTargetLimit;  // at most that
  std::size_t chunk_extension_bytes = 1024;       // of one chunk
  std::size_t trailer_bytes = 8 * 1024;
  bool connect = false;  // a CONNECT is read, and not refused with 501
};

/// How a message says where its body ends.
struct Framing {
  enum class Kind { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;  // of kLength
};

/// The status of what deserves no answer: who sends it speaks another protocol.
inline constexpr int kNotHttp = 0;

/// Why a head or a body is refused, with the status it deserves.
struct Refusal {
  int status = 400;         // 400, 408, 413, 414, 417, 421, 431, 501, 505; 502 of an answer
  std::string_view reason;  // a short sentence, constant
};

/// The reason of a 431 for Limits::fields.
inline constexpr std::string_view kTooManyFields = "too many header fields";

struct RequestHead {
  http::Request request;  // without body; framing and hop-by-hop fields are taken out
  Framing framing;
  bool keep_alive = true;
  bool expects_continue = false;
  http::LastAuthority last_authority;
};

/// Reads one request head from the start of `buffer`. nullopt: more bytes are needed. `consumed`
/// says how many bytes the head had, when it was whole. One leading CRLF is passed over. `out` is
/// reused so that its memory is. `secure` gives the scheme that an absolute-form target must have.
std::optional<Result<void, Refusal>> parse_request_head(std::string_view buffer, bool secure,
                                                        const Limits& limits, RequestHead& out,
                                                        std::size_t& consumed);

/// Whether reading a head again is worth it now that the last `fresh` bytes of `buffer` have come:
/// only a line's end can complete one. Who sends byte by byte must not have it read from its start
/// for each.
bool may_complete_head(std::string_view buffer, std::size_t fresh, const Limits& limits);

struct ResponseHead {
  http::Response response;  // without body
  Framing framing;
  bool keep_alive = true;
  http::Version version = http::Version::kHttp11;
  std::string upgrade;  // of a 101, lower case
};

/// The same for an answer to a request of `method`. 1xx heads other than 101 are given out too.
std::optional<Result<void, Refusal>> parse_response_head(std::string_view buffer,
                                                         std::string_view method,
                                                         const Limits& limits, ResponseHead& out,
                                                         std::size_t& consumed);

/// Takes a body out of its framing. Feed it what came; it gives pieces that lie in the input. It
/// keeps nothing of the input but the trailers, so each byte is fed once.
class BodyDecoder {
 public:
  explicit BodyDecoder(Framing framing = {}, Limits limits = {});

  struct Step {
    enum class Kind { kPiece, kNeedMore, kEnd, kBad };
    Kind kind = Kind::kNeedMore;
    std::string_view piece;    // of kPiece; never empty
    std::size_t consumed = 0;  // bytes of the input that are done with, in each kind
    std::string_view reason;   // of kBad
  };
  Step next(std::string_view input);
  /// The connection ended. True if the body may end there.
  bool end_of_input();
  bool finished() const { return state_ == State::kDone; }
  /// Bytes of the body that are due for sure; 0 if that is not known.
  std::uint64_t left() const { return state_ == State::kLength ? left_ : 0; }
  /// So many bytes of a body with a length, of those left, have gone by unseen.
  void skip(std::uint64_t bytes);
  /// After the end of a chunked body: the fields that is_allowed_trailer() names. Others are
  /// dropped; those that frame, route or authenticate are refused (kBad).
  const http::Headers& trailers() const { return trailers_; }

 private:
  enum class State {
    kLength,
    kChunkSize,       // before or between the digits
    kChunkExtension,  // behind ';'
    kChunkSizeEnd,    // behind the CR of the size's line
    kChunkData,
    kChunkEnd,     // before the CR behind the data
    kChunkEndEnd,  // before its LF
    kTrailers,
    kUntilClose,
    kDone,
    kBad
  };
  Step take_data(std::string_view input, std::size_t position);
  std::string_view take_framing_byte(char c);
  std::string_view take_size_byte(char c);
  std::string_view take_extension_byte(char c);
  void begin_chunk();
  Step take_trailers(std::string_view input, std::size_t position);
  std::string_view read_trailers();
  Step bad(std::size_t consumed, std::string_view reason);

  State state_;
  std::uint64_t left_ = 0;      // of the length or the chunk
  std::size_t line_bytes_ = 0;  // digits, or bytes of the extension, of this chunk
  Limits limits_;
  std::string trailer_text_;
  http::Headers trailers_;
};

/// The trailer fields that pass (RFC 9110 §6.5.1 lets a recipient discard the rest): gRPC's status,
/// Server-Timing, and digests of the body.
bool is_allowed_trailer(std::string_view name);
/// The trailers of an answer of that Content-Type are its application's: gRPC calls them trailing
/// metadata. All pass but the forbidden.
bool has_trailing_metadata(std::string_view content_type);
/// RFC 9110 §6.5.1: a recipient that merged one of these would frame, route or judge the message by
/// bytes that came behind its body. An honest sender has no use for them.
bool is_forbidden_trailer(std::string_view name);

/// Appends a head to `out`. Adds Host, framing, Connection and Upgrade from the arguments; fields
/// of those names in the headers are left out, but for the Content-Length of an answer without
/// body. A control byte in a value becomes a space: no value can split a head.
void write_request_head(std::string& out, const http::Request& request, const Framing& framing,
                        bool keep_alive);
void write_response_head(std::string& out, const http::Response& response, const Framing& framing,
                         bool keep_alive, http::Version version);
/// The head of a 101, behind which the connection speaks `protocol`; of the 200 to a CONNECT, if
/// that is http::kConnect.
void write_upgrade_head(std::string& out, const http::Response& response,
                        std::string_view protocol);
/// Chunk framing around `size` bytes that follow: "1f\r\n" … "\r\n".
void write_chunk_size(std::string& out, std::size_t size);
/// "0\r\n" trailers "\r\n".
void write_last_chunk(std::string& out, const http::Headers& trailers);

}  // namespace gatehouse::net::http1
