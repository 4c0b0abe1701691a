// For tests: turns what an Encoder made back into what it was; as much as can be read so far, so
// that a test can tell what a client sees of an unfinished stream.
#pragma once

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <string_view>

#include "gateway/filters/encoder.h"

namespace gatehouse::gateway {

struct Decoded {
  std::string text;
  bool complete = false;
};

inline Decoded decode_gzip(std::string_view bytes) {
  Decoded out;
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return out;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string piece(4096, '\0');
  for (int result = Z_OK; result == Z_OK;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    result = inflate(&stream, Z_SYNC_FLUSH);
    out.text.append(piece, 0, piece.size() - stream.avail_out);
    out.complete = result == Z_STREAM_END && stream.avail_in == 0;
  }
  inflateEnd(&stream);
  return out;
}

inline Decoded decode_brotli(std::string_view bytes) {
  Decoded out;
  BrotliDecoderState* const state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  std::size_t left = bytes.size();
  const auto* in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::string piece(4096, '\0');
  auto result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  // It may ask for more input while it still holds output.
  while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT ||
         BrotliDecoderHasMoreOutput(state) == BROTLI_TRUE) {
    std::size_t room = piece.size();
    auto* next = reinterpret_cast<std::uint8_t*>(piece.data());
    result = BrotliDecoderDecompressStream(state, &left, &in, &room, &next, nullptr);
    out.text.append(piece, 0, piece.size() - room);
  }
  out.complete = result == BROTLI_DECODER_RESULT_SUCCESS && left == 0;
  BrotliDecoderDestroyInstance(state);
  return out;
}

inline Decoded decode_zstd(std::string_view bytes) {
  Decoded out;
  ZSTD_DCtx* const context = ZSTD_createDCtx();
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string piece(4096, '\0');
  for (;;) {
    ZSTD_outBuffer written{piece.data(), piece.size(), 0};
    const std::size_t left = ZSTD_decompressStream(context, &written, &in);
    if (ZSTD_isError(left) != 0) break;
    out.text.append(piece, 0, written.pos);
    out.complete = left == 0 && in.pos == in.size;
    if (in.pos == in.size && written.pos < piece.size()) break;
  }
  ZSTD_freeDCtx(context);
  return out;
}

inline Decoded decode(Coding coding, std::string_view bytes) {
  switch (coding) {
    case Coding::kGzip:
      return decode_gzip(bytes);
    case Coding::kBrotli:
      return decode_brotli(bytes);
    case Coding::kZstd:
      return decode_zstd(bytes);
  }
  return {};
}

}  // namespace gatehouse::gateway
