// A body that is compressed while it is read.
//
// Whatever the source has given is passed on as soon as the source has no more ready: a stream
// stays as live as it was. Holds one buffer of 16 KiB and its encoder's window.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "gateway/filters/encoder.h"
#include "http/message.h"

namespace gatehouse::gateway {

class CompressedBody final : public http::BodyReader {
 public:
  CompressedBody(std::unique_ptr<http::BodyReader> source, std::unique_ptr<Encoder> encoder)
      : source_(std::move(source)), encoder_(std::move(encoder)) {}

  Task<Result<std::string_view>> read() override;
  bool ready() const override;
  const http::Headers& trailers() const override { return source_->trailers(); }

 private:
  static constexpr std::size_t kPiece = 16 * 1024;
  /// So much is taken in before something must come out, even from a source that never waits.
  static constexpr std::size_t kUnflushedLimit = 256 * 1024;

  /// What can be done without the source; nullopt if it has to be read.
  std::optional<Encoder::Operation> next() const;
  Result<void> encode(Encoder::Operation operation);

  std::unique_ptr<http::BodyReader> source_;
  std::unique_ptr<Encoder> encoder_;
  std::array<char, kPiece> out_;
  std::size_t filled_ = 0;
  std::string_view input_;     // of the source's last piece
  std::size_t unflushed_ = 0;  // bytes taken in since the last flush was complete
  bool ended_ = false;         // the source has
  bool finished_ = false;      // the stream is complete
};

}  // namespace gatehouse::gateway
