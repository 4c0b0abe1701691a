#include "gateway/filters/body_limit.h"

#include <string>
#include <utility>

namespace gatehouse::gateway {
namespace {

std::unexpected<Error> too_long(http::Trace& trace, std::uint64_t limit) {
  trace.failure = kBodyTooLong;
  return fail(ErrorCode::kExhausted,
              "the request's body is longer than " + std::to_string(limit) + " bytes");
}

class LimitedBody final : public http::BodyReader {
 public:
  LimitedBody(std::unique_ptr<http::BodyReader> body, http::Trace& trace, std::uint64_t limit)
      : body_(std::move(body)), trace_(trace), limit_(limit), left_(limit) {}

  Task<Result<std::string_view>> read() override {
    if (passed_) co_return too_long(trace_, limit_);
    const Result<std::string_view> piece = co_await body_->read();
    if (!piece) co_return piece;
    passed_ = piece->size() > left_;
    if (passed_) co_return too_long(trace_, limit_);
    left_ -= piece->size();
    co_return piece;
  }
  bool ready() const override { return passed_ || body_->ready(); }
  const http::Headers& trailers() const override { return body_->trailers(); }

 private:
  std::unique_ptr<http::BodyReader> body_;
  http::Trace& trace_;
  std::uint64_t limit_, left_;
  bool passed_ = false;
};

}  // namespace

Result<void> limit_body(http::Request& request, std::uint64_t limit) {
  http::Body& body = request.body;
  if (limit == 0) return {};
  if (body.stream == nullptr) {
    if (body.bytes.size() > limit) return too_long(request.trace, limit);
    return {};
  }
  if (body.length) {
    if (*body.length > limit) return too_long(request.trace, limit);
    return {};
  }
  body.stream = std::make_unique<LimitedBody>(std::move(body.stream), request.trace, limit);
  return {};
}

}  // namespace gatehouse::gateway
