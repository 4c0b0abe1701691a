#include <optional>

#include "http/target.h"
#include "http/url.h"
#include "net/http1/codec.h"
#include "net/http1/framing_fields.h"
#include "net/http1/syntax.h"

namespace gatehouse::net::http1 {
namespace {

using http::equal_ignoring_case;

// RFC 9112 §3: a method longer than any we serve is answered with 501. The longest registered has
// 17 letters.
constexpr std::size_t kMethodLimit = 32;
constexpr std::string_view kVersionPrefix = "HTTP/1.";

/// How far a part of the head was read: nothing if more bytes are needed.
using Progress = std::optional<Result<void, Refusal>>;

Progress refuse(int status, std::string_view reason) {
  return std::unexpected(Refusal{status, reason});
}
Progress done() {
  return Result<void, Refusal>();
}
constexpr std::nullopt_t kMore = std::nullopt;

/// Reads one head, front to back, in one pass.
class RequestHeadReader {
 public:
  RequestHeadReader(std::string_view text, bool secure, const Limits& limits, RequestHead& out)
      : text_(text), secure_(secure), limits_(limits), out_(out) {}

  Progress read();
  std::size_t position() const { return position_; }

 private:
  Progress read_request_line();
  Progress read_method();
  Progress read_target();
  Progress read_version();
  Progress read_fields();
  Progress take_field(http::Field field);
  Progress interpret();
  Progress interpret_target();
  Progress interpret_host();
  Progress check_absolute_form();
  Progress interpret_framing();
  void interpret_upgrade();

  std::string_view text_;
  bool secure_;
  const Limits& limits_;
  RequestHead& out_;
  std::size_t position_ = 0;
  std::string_view target_, host_, expect_;
  std::size_t hosts_ = 0;
  std::size_t fields_ = 0;
  FramingFields framing_;
};

Progress RequestHeadReader::read() {
  for (const auto part : {&RequestHeadReader::read_request_line, &RequestHeadReader::read_fields}) {
    const Progress progress = (this->*part)();
    if (progress && !*progress) return progress;
    const std::size_t seen = progress ? position_ : text_.size();
    if (seen > limits_.head_bytes) return refuse(431, "the request's head is too long");
    if (!progress) return kMore;
  }
  return interpret();
}

Progress RequestHeadReader::read_request_line() {
  // RFC 9112 §2.2: some clients send one empty line too many after a body.
  if (text_.starts_with("\r\n")) position_ = 2;
  for (const auto part : {&RequestHeadReader::read_method, &RequestHeadReader::read_target,
                          &RequestHeadReader::read_version}) {
    const Progress progress = (this->*part)();
    if (!progress || !*progress) return progress;
  }
  return done();
}

Progress RequestHeadReader::read_method() {
  const std::size_t end = skip(text_, position_, kTokenByte);
  const std::string_view method = text_.substr(position_, end - position_);
  if (method.size() > kMethodLimit) return refuse(501, "the method is not known");
  if (end == text_.size()) return kMore;
  // A CR alone may be the first half of the one empty line that is passed over.
  if (position_ == 0 && text_ == "\r") return kMore;
  if (text_[end] != ' ' || method.empty()) return refuse(400, "no method at the start");
  out_.request.method.assign(method);
  position_ = end + 1;
  return done();
}

Progress RequestHeadReader::read_target() {
  const std::size_t end = skip(text_, position_, kTargetByte);
  target_ = text_.substr(position_, end - position_);
  if (target_.size() > limits_.target_bytes) return refuse(414, "the request target is too long");
  if (end == text_.size()) return kMore;
  if (text_[end] != ' ' || target_.empty()) {
    return refuse(400, "the request line is not method, target and version");
  }
  position_ = end + 1;
  return done();
}

Progress RequestHeadReader::read_version() {
  constexpr std::size_t kLength = kVersionPrefix.size() + 1;
  const std::string_view given = text_.substr(position_, kLength);
  const std::string_view name = given.substr(0, kVersionPrefix.size() - 2);
  if (!kVersionPrefix.starts_with(name)) return refuse(400, "the version is not HTTP");
  if (given.size() < kLength) return kMore;
  const char minor = given.back();
  if (!given.starts_with(kVersionPrefix) || (minor != '0' && minor != '1')) {
    return refuse(505, "only HTTP/1.0 and HTTP/1.1 are served here");
  }
  std::size_t after = position_ + kLength;
  switch (read_line_end(text_, after)) {
    case LineEnd::kIncomplete:
      return kMore;
    case LineEnd::kBad:
      return refuse(400, "the request line does not end behind the version");
    case LineEnd::kRead:
      break;
  }
  out_.request.version = minor == '0' ? http::Version::kHttp10 : http::Version::kHttp11;
  position_ = after;
  return done();
}

Progress RequestHeadReader::read_fields() {
  for (;;) {
    const FieldLine line = read_field_line(text_, position_, ObsText::kRefused);
    switch (line.kind) {
      case FieldLine::Kind::kIncomplete:
        return kMore;
      case FieldLine::Kind::kBad:
        return refuse(400, line.reason);
      case FieldLine::Kind::kLast:
        return done();
      case FieldLine::Kind::kField:
        break;
    }
    const Progress progress = take_field(line.field);
    if (!*progress) return progress;
  }
}

Progress RequestHeadReader::take_field(http::Field field) {
  if (++fields_ > limits_.fields) return refuse(431, "too many header fields");
  if (framing_.take(field)) return done();
  if (equal_ignoring_case(field.name, "host")) {
    if (++hosts_ > 1) return refuse(400, "more than one Host");
    host_ = field.value;
  } else if (equal_ignoring_case(field.name, "expect")) {
    if (!equal_ignoring_case(field.value, "100-continue")) {
      return refuse(417, "an expectation other than 100-continue");
    }
    expect_ = field.value;
  } else {
    out_.request.headers.add(field.name, field.value);
  }
  return done();
}

Progress RequestHeadReader::interpret() {
  for (const auto part : {&RequestHeadReader::interpret_framing, &RequestHeadReader::interpret_host,
                          &RequestHeadReader::interpret_target}) {
    const Progress progress = (this->*part)();
    if (!*progress) return progress;
  }
  framing_.remove_named(out_.request.headers);
  if (framing_.accepts_trailers()) out_.request.headers.add("TE", "trailers");
  interpret_upgrade();
  return done();
}

Progress RequestHeadReader::interpret_framing() {
  const http::Version version = out_.request.version;
  if (const std::optional<Refusal> refusal = framing_.refusal(version)) {
    return std::unexpected(*refusal);
  }
  if (framing_.has_coding()) {
    out_.framing = {Framing::Kind::kChunked, 0};
  } else if (framing_.has_length()) {
    out_.framing = {Framing::Kind::kLength, *framing_.length()};
  }
  out_.keep_alive = framing_.keep_alive(version);
  const bool has_body = framing_.has_coding() || out_.framing.length > 0;
  out_.expects_continue = !expect_.empty() && has_body && version != http::Version::kHttp10;
  return done();
}

Progress RequestHeadReader::interpret_host() {
  if (hosts_ == 0) {
    // RFC 9112 §3.2: HTTP/1.0 need not name one; its requests then belong to no host.
    if (out_.request.version == http::Version::kHttp10) return done();
    return refuse(400, "no Host");
  }
  std::optional<std::string> authority = http::parse_authority(host_);
  if (!authority) return refuse(400, "a Host that is not one host");
  out_.request.authority = std::move(*authority);
  return done();
}

Progress RequestHeadReader::interpret_target() {
  if (out_.request.method == "CONNECT") return refuse(501, "CONNECT is not served");
  if (!target_.starts_with('/')) {
    const Progress progress = check_absolute_form();
    if (!*progress) return progress;
  }
  Result<http::Target, http::TargetError> target = http::parse_target(target_);
  if (!target) {
    const int status = target.error() == http::TargetError::kTooLong ? 414 : 400;
    return refuse(status, http::to_string(target.error()));
  }
  out_.request.target = std::move(*target);
  return done();
}

/// RFC 9112 §3.2.2 lets the target's host win over Host. Another reader may take the other, so both
/// must be the same.
Progress RequestHeadReader::check_absolute_form() {
  const std::string_view scheme = secure_ ? "https://" : "http://";
  if (!equal_ignoring_case(target_.substr(0, scheme.size()), scheme)) {
    return refuse(400, "the request target is neither a path nor a URL of this scheme");
  }
  const std::string_view rest = target_.substr(scheme.size());
  const std::string_view host = rest.substr(0, rest.find_first_of("/?"));
  const std::optional<std::string> authority = http::parse_authority(host);
  if (!authority || *authority != out_.request.authority) {
    return refuse(400, "the request target's host is not Host");
  }
  return done();
}

/// RFC 9110 §7.8. Only WebSocket is passed on: any other, h2c above all, would take the connection
/// out of sight of whoever judges its requests.
void RequestHeadReader::interpret_upgrade() {
  const http::Request& request = out_.request;
  const bool may_upgrade = framing_.lists_upgrade() && request.method == "GET" &&
                           request.version == http::Version::kHttp11 &&
                           out_.framing.kind == Framing::Kind::kNone;
  if (may_upgrade && equal_ignoring_case(framing_.upgrade(), "websocket")) {
    out_.request.upgrade = "websocket";
  }
}

/// Ready for the next head, with the memory of the last one.
void clear(RequestHead& head) {
  head.request.method.clear();
  head.request.target = {};
  head.request.version = http::Version::kHttp11;
  head.request.authority.clear();
  head.request.headers.clear();
  head.request.body = {};
  head.request.upgrade.clear();
  head.framing = {};
  head.keep_alive = true;
  head.expects_continue = false;
}

}  // namespace

std::optional<Result<void, Refusal>> parse_request_head(std::string_view buffer, bool secure,
                                                        const Limits& limits, RequestHead& out,
                                                        std::size_t& consumed) {
  clear(out);
  consumed = 0;
  RequestHeadReader reader(buffer, secure, limits, out);
  const Progress progress = reader.read();
  if (progress && *progress) consumed = reader.position();
  return progress;
}

}  // namespace gatehouse::net::http1
