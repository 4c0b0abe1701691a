#include "gateway/filters/compressed_body.h"

#include <span>

namespace gatehouse::gateway {

using Operation = Encoder::Operation;

std::optional<Operation> CompressedBody::next() const {
  if (!input_.empty()) return Operation::kProcess;
  if (ended_) return Operation::kFinish;
  const bool must_flush = unflushed_ > 0 && (!source_->ready() || unflushed_ >= kUnflushedLimit);
  return must_flush ? std::optional(Operation::kFlush) : std::nullopt;
}

Result<void> CompressedBody::encode(Operation operation) {
  const std::size_t before = input_.size();
  const Result<Encoder::Progress> progress =
      encoder_->run(operation, input_, std::span(out_).subspan(filled_));
  if (!progress) return std::unexpected(progress.error());
  filled_ += progress->produced;
  unflushed_ += before - input_.size();
  if (operation == Operation::kFlush && progress->done) unflushed_ = 0;
  if (operation == Operation::kFinish && progress->done) finished_ = true;
  return {};
}

bool CompressedBody::ready() const {
  return finished_ || next().has_value() || source_->ready();
}

Task<Result<std::string_view>> CompressedBody::read() {
  filled_ = 0;
  while (!finished_ && filled_ < out_.size()) {
    if (const std::optional<Operation> operation = next()) {
      const Result<void> encoded = encode(*operation);
      if (!encoded) co_return std::unexpected(encoded.error());
      continue;
    }
    if (filled_ > 0 && (!source_->ready() || unflushed_ == 0)) break;
    const Result<std::string_view> piece = co_await source_->read();
    if (!piece) co_return piece;
    ended_ = piece->empty();
    input_ = *piece;
  }
  co_return std::string_view(out_.data(), filled_);
}

}  // namespace gatehouse::gateway
