#include "gateway/authz/body_buffer.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gatehouse::gateway {
namespace {

/// Gives what was read already, then the rest.
class Replay final : public http::BodyReader {
 public:
  Replay(std::string begun, std::unique_ptr<http::BodyReader> rest)
      : begun_(std::move(begun)), rest_(std::move(rest)) {}

  Task<Result<std::string_view>> read() override {
    if (!replayed_) return replay();
    // The view that was given of it ends with this call.
    std::string().swap(begun_);
    return rest_->read();
  }
  bool ready() const override { return !replayed_ || rest_->ready(); }
  http::SocketBytes* in_socket() override { return replayed_ ? rest_->in_socket() : nullptr; }
  const http::Headers& trailers() const override { return rest_->trailers(); }

 private:
  Task<Result<std::string_view>> replay() {
    replayed_ = true;
    co_return std::string_view(begun_);
  }

  std::string begun_;
  std::unique_ptr<http::BodyReader> rest_;
  bool replayed_ = false;
};

std::unexpected<Error> too_long(std::size_t limit) {
  return fail(ErrorCode::kExhausted, "the body is longer than the " + std::to_string(limit) +
                                         " bytes that may be shown to the authorizer");
}

/// Appends to `bytes` until the end (then true) or until they are more than `limit`.
Task<Result<bool>> read_beyond(http::BodyReader& stream, std::size_t limit, std::string& bytes) {
  while (bytes.size() <= limit) {
    const Result<std::string_view> piece = co_await stream.read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return true;
    bytes.append(*piece);
  }
  co_return false;
}

}  // namespace

Task<Result<void>> buffer_body(http::Request& request, std::size_t limit, bool may_be_cut) {
  http::Body& body = request.body;
  if (!request.upgrade.empty()) co_return Result<void>();
  if (!body.stream) {
    if (body.bytes.size() > limit && !may_be_cut) co_return too_long(limit);
    co_return Result<void>();
  }
  // Refused before anything of it is asked for: the client may still wait for "100 Continue".
  if (!may_be_cut && body.length.value_or(0) > limit) co_return too_long(limit);
  body.bytes.clear();
  const Result<bool> ended = co_await read_beyond(*body.stream, limit, body.bytes);
  if (!ended) co_return std::unexpected(ended.error());
  if (!*ended && !may_be_cut) co_return too_long(limit);
  if (*ended) {
    body.stream.reset();
    body.length.reset();
  } else {
    body.stream = std::make_unique<Replay>(body.bytes, std::move(body.stream));
  }
  co_return Result<void>();
}

}  // namespace gatehouse::gateway
