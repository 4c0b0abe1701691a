#include "gateway/filters/grpc_web.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "gateway/filters/base64_stream.h"

namespace gatehouse::gateway {
namespace {

constexpr std::string_view kGrpc = "application/grpc";
constexpr std::string_view kGrpcWeb = "application/grpc-web";
constexpr std::string_view kText = "-text";
constexpr char kTrailerFlag = '\x80';

/// "application/grpc-web-text+proto; a=b" in its parts.
struct Type {
  bool text = false;
  std::string message;  // "+proto"
};

/// Of one media type; nullopt if it begins with another name.
std::optional<Type> read_type(std::string_view name, std::string_view content_type) {
  const std::string type =
      http::lower_case(http::trim(content_type.substr(0, content_type.find(';'))));
  std::string_view rest = type;
  if (!rest.starts_with(name)) return std::nullopt;
  rest.remove_prefix(name.size());
  Type out;
  if (name == kGrpcWeb && rest.starts_with(kText)) {
    out.text = true;
    rest.remove_prefix(kText.size());
  }
  if (!rest.empty() && (!rest.starts_with('+') || !http::is_token(rest))) return std::nullopt;
  out.message = rest;
  return out;
}

/// A request's body out of base64.
class DecodedBody final : public http::BodyReader {
 public:
  explicit DecodedBody(std::unique_ptr<http::BodyReader> body) : body_(std::move(body)) {}

  Task<Result<std::string_view>> read() override {
    bytes_.clear();
    while (bytes_.empty()) {
      const Result<std::string_view> piece = co_await body_->read();
      if (!piece) co_return piece;
      const Result<void> good = piece->empty() ? decoder_.finish() : decoder_.feed(*piece, bytes_);
      if (!good) co_return std::unexpected(good.error());
      if (piece->empty()) break;
    }
    co_return std::string_view(bytes_);
  }
  bool ready() const override { return body_->ready(); }

 private:
  std::unique_ptr<http::BodyReader> body_;
  Base64Decoder decoder_;
  std::string bytes_;
};

/// An answer's body with its trailers as the last frame, in base64 if the client asked for that.
class WebBody final : public http::BodyReader {
 public:
  WebBody(std::unique_ptr<http::BodyReader> body, bool text)
      : body_(std::move(body)), text_(text) {}

  Task<Result<std::string_view>> read() override {
    if (ended_) co_return std::string_view();
    const Result<std::string_view> piece = co_await body_->read();
    if (!piece) co_return piece;
    if (!piece->empty() && !text_) co_return piece;
    ended_ = piece->empty();
    bytes_ = ended_ ? grpc_web_trailers(body_->trailers()) : std::string(*piece);
    if (text_) bytes_ = base64_encode(bytes_);
    co_return std::string_view(bytes_);
  }
  bool ready() const override { return ended_ || body_->ready(); }

 private:
  std::unique_ptr<http::BodyReader> body_;
  bool text_;
  bool ended_ = false;
  std::string bytes_;
};

Result<void> decode_body(http::Body& body) {
  if (body.stream != nullptr) {
    body = http::Body(std::make_unique<DecodedBody>(std::move(body.stream)));
    return {};
  }
  Base64Decoder decoder;
  std::string bytes;
  Result<void> good = decoder.feed(body.bytes, bytes);
  if (good) good = decoder.finish();
  if (good) body = http::Body(std::move(bytes));
  return good;
}

/// What the answer shall be: as Accept says, else as the request was.
bool wants_text(const http::Headers& headers, bool request_is_text) {
  const std::optional<std::string_view> accept = headers.get("Accept");
  const std::optional<Type> type = accept ? read_type(kGrpcWeb, *accept) : std::nullopt;
  return type ? type->text : request_is_text;
}

}  // namespace

std::string grpc_web_trailers(const http::Headers& trailers) {
  if (trailers.empty()) return "";
  std::string lines;
  for (const http::Field field : trailers) {
    lines.append(http::lower_case(field.name)).append(": ");
    for (const char c : field.value) lines.push_back(http::is_value_byte(c) ? c : '_');
    lines.append("\r\n");
  }
  std::string frame(1, kTrailerFlag);
  for (const int shift : {24, 16, 8, 0}) {
    frame.push_back(static_cast<char>((lines.size() >> shift) & 0xff));
  }
  return frame.append(lines);
}

Result<std::optional<GrpcWebCall>> GrpcWebCall::start(http::Request& request) {
  if (request.method != "POST") return std::nullopt;
  const std::optional<std::string_view> content_type = request.headers.only("Content-Type");
  const std::optional<Type> type = content_type ? read_type(kGrpcWeb, *content_type) : std::nullopt;
  if (!type) return std::nullopt;
  if (type->text) {
    const Result<void> decoded = decode_body(request.body);
    if (!decoded) return std::unexpected(decoded.error());
    request.headers.remove("Content-Length");
  }
  const bool text = wants_text(request.headers, type->text);
  request.headers.set("Content-Type", std::string(kGrpc) + type->message);
  request.headers.set("TE", "trailers");
  request.headers.remove("X-Grpc-Web");
  return GrpcWebCall(text, type->message);
}

void GrpcWebCall::finish(http::Response& response) const {
  const std::optional<std::string_view> content_type = response.headers.only("Content-Type");
  const std::optional<Type> type = content_type ? read_type(kGrpc, *content_type) : std::nullopt;
  if (!type || response.upgrade != nullptr) return;
  const std::string_view message = type->message.empty() ? message_ : type->message;
  response.headers.set(
      "Content-Type",
      std::string(kGrpcWeb).append(text_ ? kText : std::string_view()).append(message));
  response.headers.remove("Content-Length");
  response.headers.remove("Trailer");
  http::Body& body = response.body;
  if (body.stream != nullptr) {
    body = http::Body(std::make_unique<WebBody>(std::move(body.stream), text_));
  } else if (text_) {
    body = http::Body(base64_encode(body.bytes));
  }
}

}  // namespace gatehouse::gateway
