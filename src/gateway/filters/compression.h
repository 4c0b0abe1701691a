// Compresses answers on their way to clients that accept it.
//
// Left as they are: answers that are short, encoded already, partial, without a body, streams of
// events, or marked no-transform. Whoever mixes a secret and text of the client's own in one
// compressed answer over TLS gives the secret away by its length (BREACH); docs/threat-model.md
// says what to do.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/gateway_settings.h"
#include "gateway/filters/encoder.h"
#include "http/message.h"

namespace gatehouse::gateway {

class Compression {
 public:
  /// kInvalid names an algorithm that is not gzip, br or zstd, a level that one of them has not, a
  /// content type that is none.
  static Result<Compression> make(const config::Compression& settings);

  /// Off.
  Compression() = default;

  bool on() const { return !algorithms_.empty(); }
  /// Puts the body behind a CompressedBody, or compresses one that is whole; then Content-Encoding
  /// is set, Content-Length goes, and a strong ETag becomes weak. Vary: Accept-Encoding is set on
  /// all answers that could be compressed, whoever asked. An answer to HEAD says what that to GET
  /// would (RFC 9110 §9.3.2).
  void apply(const http::Request& request, http::Response& response) const;

 private:
  struct Algorithm {
    Coding coding;
    int level;
  };

  bool may_compress(const http::Request& request, const http::Response& response) const;
  bool is_compressible_type(std::string_view content_type) const;
  static Result<std::string> compress(Encoder& encoder, std::string_view bytes);

  std::vector<Algorithm> algorithms_;
  std::vector<std::string_view> names_;  // theirs, constants
  std::size_t min_bytes_ = 0;
  std::vector<std::string> types_;  // lower case; empty: the usual
};

}  // namespace gatehouse::gateway
