#include "gateway/filters/encoder.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace gatehouse::gateway {
namespace {

// Windows: 32 KiB is the most gzip has; browsers must take 8 MB of zstd, other clients less.
constexpr int kGzipWindow = 15 + 16;  // with gzip's header
constexpr int kGzipMemory = 8;        // 256 KiB in all
constexpr int kBrotliWindow = 18;     // 256 KiB
constexpr int kZstdWindow = 18;

std::unexpected<Error> failed(std::string_view coding) {
  return fail(ErrorCode::kInternal, std::string(coding) + " cannot compress");
}

class GzipEncoder final : public Encoder {
 public:
  explicit GzipEncoder(int level) {
    good_ = deflateInit2(&stream_, level, Z_DEFLATED, kGzipWindow, kGzipMemory,
                         Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~GzipEncoder() override {
    if (good_) deflateEnd(&stream_);
  }
  GzipEncoder(const GzipEncoder&) = delete;
  GzipEncoder& operator=(const GzipEncoder&) = delete;
  bool good() const { return good_; }

  Result<Progress> run(Operation operation, std::string_view& input, std::span<char> out) override {
    constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
    const auto given = static_cast<uInt>(std::min(input.size(), kMost));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = given;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(std::min(out.size(), kMost));
    const uInt room = stream_.avail_out;
    const int result = deflate(&stream_, flush_of(operation));
    // With neither input nor anything held back there is nothing to do, which zlib calls an error.
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return failed("gzip");
    input.remove_prefix(given - stream_.avail_in);
    const bool done = operation == Operation::kFinish ? result == Z_STREAM_END
                                                      : input.empty() && stream_.avail_out > 0;
    return Progress{room - stream_.avail_out, done};
  }

 private:
  static int flush_of(Operation operation) {
    switch (operation) {
      case Operation::kProcess:
        return Z_NO_FLUSH;
      case Operation::kFlush:
        return Z_SYNC_FLUSH;
      case Operation::kFinish:
        return Z_FINISH;
    }
    return Z_NO_FLUSH;
  }

  z_stream stream_{};
  bool good_ = false;
};

class BrotliEncoder final : public Encoder {
 public:
  explicit BrotliEncoder(int level)
      : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (!state_) return;
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY,
                              static_cast<std::uint32_t>(level));
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, kBrotliWindow);
  }
  bool good() const { return state_ != nullptr; }

  Result<Progress> run(Operation operation, std::string_view& input, std::span<char> out) override {
    std::size_t left = input.size();
    const auto* next_in = reinterpret_cast<const std::uint8_t*>(input.data());
    std::size_t room = out.size();
    auto* next_out = reinterpret_cast<std::uint8_t*>(out.data());
    if (BrotliEncoderCompressStream(state_.get(), operation_of(operation), &left, &next_in, &room,
                                    &next_out, nullptr) == BROTLI_FALSE) {
      return failed("br");
    }
    input.remove_prefix(input.size() - left);
    const bool more = BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_TRUE;
    const bool done = operation == Operation::kFinish
                          ? BrotliEncoderIsFinished(state_.get()) == BROTLI_TRUE
                          : input.empty() && !more;
    return Progress{out.size() - room, done};
  }

 private:
  static BrotliEncoderOperation operation_of(Operation operation) {
    switch (operation) {
      case Operation::kProcess:
        return BROTLI_OPERATION_PROCESS;
      case Operation::kFlush:
        return BROTLI_OPERATION_FLUSH;
      case Operation::kFinish:
        return BROTLI_OPERATION_FINISH;
    }
    return BROTLI_OPERATION_PROCESS;
  }

  struct Destroy {
    void operator()(BrotliEncoderState* state) const { BrotliEncoderDestroyInstance(state); }
  };
  std::unique_ptr<BrotliEncoderState, Destroy> state_;
};

class ZstdEncoder final : public Encoder {
 public:
  explicit ZstdEncoder(int level) : context_(ZSTD_createCCtx()) {
    if (!context_) return;
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, kZstdWindow);
  }
  bool good() const { return context_ != nullptr; }

  Result<Progress> run(Operation operation, std::string_view& input, std::span<char> out) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer written{out.data(), out.size(), 0};
    const std::size_t left =
        ZSTD_compressStream2(context_.get(), &written, &in, directive_of(operation));
    if (ZSTD_isError(left) != 0) return failed("zstd");
    input.remove_prefix(in.pos);
    const bool done = operation == Operation::kProcess ? input.empty() : left == 0;
    return Progress{written.pos, done};
  }

 private:
  static ZSTD_EndDirective directive_of(Operation operation) {
    switch (operation) {
      case Operation::kProcess:
        return ZSTD_e_continue;
      case Operation::kFlush:
        return ZSTD_e_flush;
      case Operation::kFinish:
        return ZSTD_e_end;
    }
    return ZSTD_e_continue;
  }

  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

template <class T>
std::unique_ptr<Encoder> make(int level) {
  auto encoder = std::make_unique<T>(level);
  if (!encoder->good()) return nullptr;
  return encoder;
}

}  // namespace

Levels levels_of(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
      return {1, 9, 6};
    case Coding::kBrotli:
      return {1, 9, 4};
    case Coding::kZstd:
      return {1, 12, 3};
  }
  return {1, 1, 1};
}

std::unique_ptr<Encoder> make_encoder(Coding coding, int level) {
  switch (coding) {
    case Coding::kGzip:
      return make<GzipEncoder>(level);
    case Coding::kBrotli:
      return make<BrotliEncoder>(level);
    case Coding::kZstd:
      return make<ZstdEncoder>(level);
  }
  return nullptr;
}

}  // namespace gatehouse::gateway
